"""Checks that a frame file is a whole JPEG or PNG picture, by its header and its end, or by decoding it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

import msgspec

from egocross_eval.counted import counted
from egocross_eval.files import open_regular
from egocross_eval.frames.pictures import TAIL, FrameError, is_cut_off, opened_picture, picture_format
from egocross_eval.frames.store import LARGEST

if TYPE_CHECKING:
    from typing import BinaryIO

FrameTrouble = Literal["missing", "empty", "truncated", "unreadable", "unsafe"]


class FrameCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What was found about one file."""

    trouble: FrameTrouble | None = None
    message: str = ""
    width: int = 0
    """Pixels; 0 if unknown."""
    height: int = 0
    size: int = 0
    """Bytes."""
    content: str = ""
    """Hash of the bytes, if they were all read."""


def _bad(trouble: FrameTrouble, message: str, size: int = 0) -> FrameCheck:
    return FrameCheck(trouble=trouble, message=message, size=size)


def check_frame(path: str, *, decode: bool = False) -> FrameCheck:
    """Checks one file. Reads only its start and its end unless `decode` is set; never raises for a bad file."""
    try:
        descriptor, status = open_regular(path)
        with os.fdopen(descriptor, "rb") as file:
            return _check_open(file, status.st_size, decode)
    except FileNotFoundError:
        return _bad("missing", "no such file")
    except OSError as error:
        return _bad("unreadable", error.strerror or str(error))


def _check_open(file: BinaryIO, size: int, decode: bool) -> FrameCheck:
    if size == 0:
        return _bad("empty", "0 bytes")
    if size > LARGEST:
        return _bad("unreadable", f"{counted(size, 'byte')} are more than a frame has", size)
    start = file.read(16)
    kind = picture_format(start)
    if kind is None:
        return _bad("unreadable", f"neither JPEG nor PNG: it starts with {start!r}", size)
    file.seek(max(0, size - TAIL))
    if is_cut_off(kind, file.read(TAIL)):
        return _bad("truncated", f"{counted(size, 'byte')} without an end marker", size)
    file.seek(0)
    content = ""
    if decode:
        import xxhash

        content = xxhash.xxh3_128_hexdigest(file.read())
        file.seek(0)
    try:
        with opened_picture(file, "") as image:
            width, height = image.size
            if decode:
                image.load()
    except FrameError as error:
        return _bad("truncated" if "truncated" in str(error) else "unreadable", str(error), size)
    return FrameCheck(width=width, height=height, size=size, content=content)
