"""The header of a safetensors file: which tensors it holds, of what type and shape, and where."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec

from egocross_eval.documents import cited, decode_json
from egocross_eval.errors import DataError
from egocross_eval.files import open_regular

_LONGEST = 100 * 2**20
"""Most bytes of a header, as the format's own library has it."""

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**62)]


class Tensor(msgspec.Struct, frozen=True):
    """What a header says of one tensor."""

    dtype: str = ""
    """As safetensors names it: `F32`, `BF16`."""
    shape: tuple[_Count, ...] = ()
    data_offsets: tuple[_Count, _Count] = (0, 0)
    """Bytes from the start of the data to the tensor's start and end."""


class Header(msgspec.Struct, frozen=True):
    """The header of one file."""

    start: int
    """Byte where the data begin."""
    tensors: dict[str, Tensor]

    @property
    def size(self) -> int:
        """Bytes that the whole file should have."""
        return self.start + max((tensor.data_offsets[1] for tensor in self.tensors.values()), default=0)


def open_weights(path: Path) -> BinaryIO:
    """Opens a weight file for reading. Raises `DataError` naming it, also for a pipe or a device."""
    try:
        return os.fdopen(open_regular(path)[0], "rb")
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror or error}") from error


def header_of(file: BinaryIO, path: Path) -> Header:
    """The header of an open safetensors file; a `DataError` naming `path` for any other.

    Format: eight bytes, the little-endian length of a JSON header; the header; the data
    (https://github.com/huggingface/safetensors#format).
    """
    beginning = file.read(8)
    if not beginning:
        raise DataError(f"{path} can't be read: it is empty")
    length = int.from_bytes(beginning, "little")
    if not 2 <= length <= _LONGEST:
        raise DataError(f"{path} can't be read: this is no safetensors file")
    tensors = decode_json(file.read(length), dict[str, Tensor], str(path))
    tensors.pop("__metadata__", None)
    for name, tensor in tensors.items():
        if tensor.data_offsets[0] > tensor.data_offsets[1]:
            raise DataError(f"{path} can't be read: {cited(name)} ends before it begins")
    return Header(8 + length, tensors)


def read_header(path: Path) -> Header:
    """The header of the safetensors file at `path`; errors as above."""
    with open_weights(path) as file:
        return header_of(file, path)
