"""Checks that a frame file is a whole JPEG or PNG picture, by its header and its end, or by decoding it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from typing import BinaryIO

FrameTrouble = Literal["missing", "empty", "truncated", "unreadable", "unsafe"]

_JPEG_START = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND\xaeB`\x82"
# Some encoders pad a file behind its end marker; a marker further from the end than this is another one.
_TAIL = 4096


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
        with open(path, "rb") as file:  # noqa: PTH123 - called for 10,748 paths that are strings already
            size = os.fstat(file.fileno()).st_size
            return _check_open(file, size, decode)
    except FileNotFoundError:
        return _bad("missing", "no such file")
    except IsADirectoryError:
        return _bad("unreadable", "it is a folder")
    except OSError as error:
        return _bad("unreadable", error.strerror or str(error))


def _check_open(file: BinaryIO, size: int, decode: bool) -> FrameCheck:
    if size == 0:
        return _bad("empty", "0 bytes")
    start = file.read(16)
    if start.startswith(_JPEG_START):
        end = _JPEG_END
    elif start.startswith(_PNG_START):
        end = _PNG_END
    else:
        return _bad("unreadable", f"neither JPEG nor PNG: it starts with {start!r}", size)
    file.seek(max(0, size - _TAIL))
    if end not in file.read(_TAIL):
        return _bad("truncated", f"{size} bytes without an end marker", size)
    file.seek(0)
    content = ""
    if decode:
        import xxhash

        content = xxhash.xxh3_128_hexdigest(file.read())
        file.seek(0)
    return _open_image(file, size, decode, content)


def _open_image(file: BinaryIO, size: int, decode: bool, content: str) -> FrameCheck:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file, formats=("JPEG", "PNG")) as image:
            width, height = image.size
            if decode:
                image.load()
    except UnidentifiedImageError:
        return _bad("unreadable", "its header can't be read", size)
    except Image.DecompressionBombError as error:
        return _bad("unreadable", str(error), size)
    except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:  # Pillow's ways to refuse broken pictures
        message = str(error) or type(error).__name__
        return _bad("truncated" if "truncated" in message.lower() else "unreadable", message, size)
    return FrameCheck(width=width, height=height, size=size, content=content)
