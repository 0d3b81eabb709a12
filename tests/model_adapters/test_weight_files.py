"""Headers of weight files, which come from anywhere."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.checkpoints.identity import folder_hash, tensors
from egocross_eval.model_adapters.checkpoints.weight_files import Tensor, read_header


def weights(path: Path, header: Any, data: bytes = b"12345678") -> Path:
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(content).to_bytes(8, "little") + content + data)
    return path


def test_a_header_says_what_is_in_a_file(tmp_path: Path) -> None:
    entry = {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]}
    path = weights(tmp_path / "model.safetensors", {"__metadata__": {"format": "pt"}, "w": entry})
    header = read_header(path)
    assert header.tensors == {"w": Tensor("F32", (2, 1), (0, 8))}
    assert header.size == path.stat().st_size
    found = tensors(tmp_path)
    assert found is not None
    assert (found.parameters, found.dtypes) == (2, ("F32",))


@pytest.mark.parametrize(
    "header",
    [
        b"[" * 100_000,
        b'{"w": ',
        b"\xff\xff",
        [],
        {"w": {"shape": [-1]}},
        {"w": {"data_offsets": [0]}},
        {"w": {"data_offsets": [8, 0]}},
        {"w": {"data_offsets": [0, 10**30]}},
    ],
)
def test_a_header_that_is_none_is_an_error_that_names_the_file(tmp_path: Path, header: Any) -> None:
    path = weights(tmp_path / "model.safetensors", header)
    with pytest.raises(UsageError, match=r"model\.safetensors"):
        read_header(path)
    with pytest.raises(UsageError, match=r"model\.safetensors"):
        tensors(tmp_path)


def test_a_header_longer_than_any_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes((2**62).to_bytes(8, "little") + b"{}")
    with pytest.raises(UsageError, match="no safetensors file"):
        read_header(tmp_path / "model.safetensors")


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_pipe_is_no_weight_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.safetensors")
    with pytest.raises(UsageError, match=r"model\.safetensors can't be read"):
        tensors(tmp_path)
    assert folder_hash(tmp_path)
