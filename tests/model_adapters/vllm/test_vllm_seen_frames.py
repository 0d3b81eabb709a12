"""What a served model sees of a frame: told by the checkpoint's own processor where the server counts the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hf_requests import adapter, make_request, mixed_requests

from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
from egocross_eval.model_adapters.vllm.server.seen_frames import LOOKED_AT, SeenFrames
from egocross_eval.schema import Failure, Request, Response

pytest.importorskip("torch")


def seen(checkpoint: Path | str, **options: str) -> SeenFrames:
    return SeenFrames(Checkpoint(str(checkpoint), None, scheme="vllm-server"), options)


def counted(checkpoint: Path, requests: list[Request]) -> tuple[list[Response], dict[str, Any]]:
    """Responses with the tokens that the model itself was given, and what `hf:` says that it saw of a frame."""
    model = adapter(checkpoint)
    responses = list(model.generate(iter(requests)))
    details = model.details()
    model.close()
    return responses, {name: details[name] for name in ("frame_pixels", "frame_tokens")}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["qwen2_5_vl", "internvl", "gemma3"])
@pytest.mark.parametrize("max_pixels", [None, 4096])
def test_a_server_that_counts_as_the_processor_does_has_the_figures_of_hf(
    family_checkpoint: Callable[[str], Path], tmp_path: Path, name: str, max_pixels: int | None
) -> None:
    requests = [one for one in mixed_requests(tmp_path, max_pixels=max_pixels) if len(one.prompt.frame_paths()) == 1]
    responses, expected = counted(family_checkpoint(name), requests)
    looker = seen(family_checkpoint(name))
    assert [one.key for one in looker.looked_at(iter(requests))] == [one.key for one in requests]
    assert looker.details() == {}
    for response in responses:
        looker.heard(response)
    assert looker.details() == expected


def test_a_server_that_counts_otherwise_is_told_nothing_of(vivid_checkpoint: Path, tmp_path: Path) -> None:
    requests = mixed_requests(tmp_path)[:3]
    responses, expected = counted(vivid_checkpoint, requests)
    looker = seen(vivid_checkpoint)
    assert len(list(looker.looked_at(iter(requests)))) == 3
    looker.heard(msgspec.structs.replace(responses[0], failure=Failure(kind="timeout", message="late"), input_tokens=1))
    assert looker.details() == {}
    looker.heard(responses[1])
    assert looker.details().keys() == expected.keys()
    other = msgspec.structs.replace(responses[2], input_tokens=(responses[2].input_tokens or 0) + 100)
    looker.heard(other)
    assert looker.details() == {}


def test_only_the_first_requests_with_frames_are_looked_at(vivid_checkpoint: Path, tmp_path: Path) -> None:
    [asked, *_] = mixed_requests(tmp_path)
    many = [msgspec.structs.replace(asked, key=f"q{number}") for number in range(LOOKED_AT + 10)]
    looker = seen(vivid_checkpoint)
    blind = make_request("blind", [])
    assert len(list(looker.looked_at(iter([blind, *many])))) == LOOKED_AT + 11
    assert len(looker._planned) == LOOKED_AT


def test_a_frame_that_cannot_be_read_and_a_processor_that_cannot_be_loaded_stop_nothing(
    vivid_checkpoint: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    asked = make_request("q", [broken])
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(vivid_checkpoint / "config.json", bare)
    for looker in (seen(vivid_checkpoint), seen(bare), seen(vivid_checkpoint, mm_processor_kwargs="{")):
        assert list(looker.looked_at(iter([asked]))) == [asked]
        looker.heard(Response(key="q", text="A", input_tokens=10))
        assert looker.details() == {}
