"""Identity of weights: a hash that changes when a checkpoint is trained further, without reading gigabytes."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.checkpoints.weight_files import header_of, open_weights, read_header

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
    from egocross_eval.model_adapters.checkpoints.lora import Lora

WHOLE = 32 * 2**20
"""Files up to this size are hashed whole."""

PIECE = 4096
"""Bytes hashed at the start and at the end of every tensor of a larger file."""

BLOCKS = 512
"""Pieces hashed of a large file of another format, evenly spread."""

WEIGHT_ENDINGS = (".safetensors", ".bin", ".pt", ".pth")

_MODEL_FILES = ("config.json", "adapter_config.json", "*.safetensors", "*model*.bin")

_SMALL_ENDINGS = (".json", ".jinja", ".txt", ".model", ".py")


class Tensors(msgspec.Struct, frozen=True, kw_only=True):
    """What the headers of a folder's safetensors files say."""

    parameters: int
    """Numbers in all tensors together."""
    dtypes: tuple[str, ...]
    """Storage types in use, as safetensors names them (`F32`, `BF16`)."""


def fingerprint(checkpoint: Checkpoint, lora: Lora | None, *, before: Sequence[Any] = (), after: Sequence[Any]) -> str:
    """Hash of a checkpoint's files (or its commit on the Hub), an adapter's, and what else decides the answers.

    Of large files only parts are read, see `folder_hash`. Raises UsageError where it is no model checkpoint.
    """
    weights = folder_hash(checkpoint.folder) if checkpoint.folder is not None else checkpoint.commit
    if weights is None:
        raise UsageError(f"{checkpoint.spec}: it has no config.json, so it is no model checkpoint")
    parts = [*before, weights, folder_hash(lora.folder) if lora is not None else None, *after]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def described(checkpoint: Checkpoint, lora: Lora | None) -> dict[str, Any]:
    """What a run's record says of a checkpoint: architecture, number of parameters, commit, adapter."""
    config = checkpoint.config
    details: dict[str, Any] = {"architecture": next(iter(config.get("architectures") or []), config.get("model_type"))}
    counted = tensors(checkpoint.folder) if checkpoint.folder is not None else None
    if counted is not None:
        details |= {"parameters": counted.parameters, "stored_dtypes": list(counted.dtypes)}
    if checkpoint.commit is not None:
        details["commit"] = checkpoint.commit
    if lora is not None:
        details |= {"lora": str(lora.folder), "lora_rank": lora.rank}
    return details


def folder_hash(folder: Path) -> str:
    """Hash of a checkpoint's or adapter's files: configs, tokenizer and weights, whatever the folder is called.

    Small files count whole. Of large safetensors files the header, the size and both ends of every tensor count; of
    large files of other formats, evenly spread pieces. Training changes all of a tensor it touches, so it can't go
    unnoticed. Raises UsageError for a file that can't be read.
    """
    return _hash_of(path for path in folder.iterdir() if path.name.endswith((*WEIGHT_ENDINGS, *_SMALL_ENDINGS)))


def weights_hash(folder: Path) -> str:
    """Hash of a checkpoint's or adapter's weights and configuration alone, read as `folder_hash` reads them: whatever
    a trainer keeps beside them. Raises as that, and OSError for a folder or file that is gone."""
    return _hash_of(path for path in folder.iterdir() if any(map(path.match, _MODEL_FILES)))


def _hash_of(paths: Iterable[Path]) -> str:
    from xxhash import xxh3_128

    digest = xxh3_128()
    for path in sorted(paths):
        if not path.is_file():
            continue
        size = path.stat().st_size
        digest.update(f"{path.name}\0{size}\0".encode())
        try:
            with open_weights(path) as file:
                for piece in _pieces(file, size, path):
                    digest.update(piece)
        except OSError as error:
            raise UsageError(f"{path} can't be read: {error}") from error
    return digest.hexdigest()


def tensors(folder: Path) -> Tensors | None:
    """Counts what the safetensors files of a folder hold, from their headers; None if there are none."""
    parameters = 0
    dtypes: set[str] = set()
    paths = sorted(folder.glob("*.safetensors"))
    for path in paths:
        for tensor in read_header(path).tensors.values():
            parameters += math.prod(tensor.shape)
            dtypes.add(tensor.dtype)
    return Tensors(parameters=parameters, dtypes=tuple(sorted(dtypes))) if paths else None


def _pieces(file: BinaryIO, size: int, path: Path) -> Iterator[bytes]:
    if size <= WHOLE:
        yield file.read()
    elif path.suffix == ".safetensors":
        header = header_of(file, path)
        file.seek(0)
        yield file.read(header.start)
        for tensor in sorted(header.tensors.values(), key=lambda tensor: tensor.data_offsets[0]):
            first, last = (header.start + offset for offset in tensor.data_offsets)
            file.seek(first)
            yield file.read(min(PIECE, last - first))
            file.seek(max(first, last - PIECE))
            yield file.read(min(PIECE, last - first))
    else:
        for block in range(BLOCKS):
            file.seek(block * (size - PIECE) // (BLOCKS - 1))
            yield file.read(PIECE)
