"""Pictures as files: the two formats that frames have, their headers, and the one way in which they are decoded.

Frames may come from anyone: no other decoder of Pillow's is reached (some start programs), and a picture's size is
known to be bounded before it's decoded.
"""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, BinaryIO, Literal

from egocross_eval.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image

Format = Literal["JPEG", "PNG"]

MAX_PIXELS = 40_000_000
"""Pixels (width x height) of the largest picture that is decoded: more than 8K video has."""

_TOO_LARGE = f"it has more than {MAX_PIXELS:,} pixels, so it is no frame"

TAIL = 4096
"""Bytes from the end in which the end marker must stand; some encoders pad a file behind it."""

_STARTS: dict[bytes, Format] = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG"}
_ENDS: dict[Format, bytes] = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}

_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers whose segment holds the picture's size (ITU-T T.81, table B.1)."""

_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG markers that stand alone (ITU-T T.81, table B.1)."""

_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N")
"""Pillow's modes for grey of 16 bits, which it cuts off at 255 when it turns them into others."""


class FrameError(DataError):
    """A frame file is missing, empty, unreadable or no picture."""


def picture_format(start: bytes) -> Format | None:
    """The format by the first bytes of a file, or None for any other."""
    return next((name for magic, name in _STARTS.items() if start.startswith(magic)), None)


def is_cut_off(kind: Format, end: bytes) -> bool:
    """Whether the last `TAIL` bytes of a file lack the end marker of its format."""
    return _ENDS[kind] not in end


def jpeg_header(data: bytes) -> tuple[int, int, int] | None:
    """(width, height, number of colour components) in a JPEG's start-of-frame segment (ITU-T T.81, B.2.2).

    None if the bytes aren't a JPEG or end before it.
    """
    if not data.startswith(b"\xff\xd8"):
        return None
    place = 2
    while place + 10 <= len(data):
        if data[place] != 0xFF:
            return None
        marker = data[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
        elif marker in _WITHOUT_LENGTH:
            place += 2
        elif marker in _START_OF_FRAME:
            height, width = int.from_bytes(data[place + 5 : place + 7]), int.from_bytes(data[place + 7 : place + 9])
            return (width, height, data[place + 9]) if width and height else None
        else:
            place += 2 + max(2, int.from_bytes(data[place + 2 : place + 4]))
    return None


def png_header(data: bytes) -> tuple[int, int, int] | None:
    """(width, height, bits of a sample) in a PNG's first chunk; None if the bytes aren't a PNG or end before it."""
    if picture_format(data) != "PNG" or data[12:16] != b"IHDR" or len(data) < 26:
        return None
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24]), data[24]


def is_deep_grey(data: bytes) -> bool:
    """Whether a file is a grey PNG of 16 bits a pixel (PNG specification, table 11.1: colour type 0, depth 16)."""
    header = png_header(data)
    return header is not None and header[2] == 16 and data[25] == 0


@contextlib.contextmanager
def opened_picture(source: bytes | BinaryIO, name: str) -> Iterator[Image]:
    """The picture in a file's bytes or in an open file, not decoded yet.

    Raises FrameError naming it by `name`, if that isn't empty, if it's neither JPEG nor PNG, larger than `MAX_PIXELS`,
    or turns out to be broken within the block.
    """
    from PIL import Image, UnidentifiedImageError

    owner = f"frame {name}: " if name else ""
    try:
        file = io.BytesIO(source) if isinstance(source, bytes) else source
        with Image.open(file, formats=("JPEG", "PNG")) as image:
            check_size(image.size, name)
            yield image
    except UnidentifiedImageError as error:
        raise FrameError(f"{owner}no readable JPEG or PNG picture; fetch it again") from error
    except Image.DecompressionBombError as error:
        raise FrameError(f"{owner}{_TOO_LARGE}") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:  # Pillow's ways to refuse broken pictures
        message = str(error) or type(error).__name__
        raise FrameError(f"{owner}can't be decoded ({message}); fetch it again") from error


def check_size(size: tuple[int, int], name: str) -> None:
    """Raises FrameError, naming the picture by `name`, if it has more than `MAX_PIXELS`."""
    if size[0] * size[1] > MAX_PIXELS:
        raise FrameError(f"{f'frame {name}: ' if name else ''}{_TOO_LARGE}")


def as_rgb(image: Image) -> Image:
    """The decoded picture in RGB: transparency on white as transformers has it, grey of 16 bits by its higher byte."""
    from PIL import Image

    if image.mode in _DEEP:
        return image.point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    if "A" in image.getbands() or "transparency" in image.info:
        picture = image.convert("RGBA")
        white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, picture).convert("RGB")
    image.load()
    return image if image.mode == "RGB" else image.convert("RGB")
