"""Only JPEG and PNG of bounded size reach a decoder, and whatever is wrong with one is said."""

from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from egocross_eval.frames import pictures
from egocross_eval.frames.check import check_frame
from egocross_eval.frames.pictures import (
    FrameError,
    as_rgb,
    is_deep_grey,
    jpeg_header,
    opened_picture,
    picture_format,
    png_header,
)
from egocross_eval.frames.store import picture_size


def encoded(kind: str, size: tuple[int, int] = (37, 21), mode: str = "RGB", **save: int) -> bytes:
    noise = random.Random(kind).randbytes(size[0] * size[1] * 3)
    buffer = io.BytesIO()
    Image.frombytes("RGB", size, noise).convert(mode).save(buffer, kind, **save)
    return buffer.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it has that size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n"


@pytest.mark.parametrize("content", [EPS, *(encoded(kind) for kind in ("WEBP", "GIF", "BMP", "TIFF", "ICO", "PPM"))])
def test_other_formats_reach_no_decoder(content: bytes) -> None:
    assert picture_format(content) is None
    with pytest.raises(FrameError, match=r"frame a\.jpg: no readable JPEG or PNG"), opened_picture(content, "a.jpg"):
        pass


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_size_and_format_come_from_the_content(kind: str) -> None:
    data = encoded(kind)
    header = jpeg_header(data) or png_header(data)
    assert header is not None
    assert header[:2] == (37, 21)
    assert picture_format(data) == kind


def test_size_of_unusual_jpegs() -> None:
    exif = Image.Exif()
    exif[270] = "x" * 5000
    for save in ({"progressive": True}, {"exif": exif}, {"comment": b"hello"}):
        header = jpeg_header(encoded("JPEG", (50, 31), **save))
        assert header is not None
        assert header[:2] == (50, 31)


@given(st.binary(max_size=300))
def test_broken_headers_have_no_size_or_a_size(tail: bytes) -> None:
    for read, magic in ((jpeg_header, b"\xff\xd8\xff"), (png_header, b"\x89PNG\r\n\x1a\n")):
        header = read(magic + tail)
        assert header is None or min(header) >= 0


@pytest.mark.parametrize("size", [(8000, 8000), (30_000, 30_000), (2**31 - 1, 1)])
def test_a_picture_is_refused_for_its_size_before_it_is_decoded(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(bomb(*size))
    with pytest.raises(FrameError, match=r"bomb\.png: it has more than 40,000,000 pixels"):
        picture_size(str(path))
    assert check_frame(str(path)).trouble == "unreadable"


def test_what_breaks_while_it_is_decoded_is_named() -> None:
    data = encoded("PNG", (200, 200))
    broken = data[:1000] + bytes(500) + data[1500:]
    with pytest.raises(FrameError, match=r"frame a\.png: can't be decoded"), opened_picture(broken, "a.png") as image:
        image.load()


@pytest.mark.parametrize(("mode", "kind"), [("L", "PNG"), ("P", "PNG"), ("1", "PNG"), ("CMYK", "JPEG"), ("L", "JPEG")])
def test_other_colour_modes_become_rgb(mode: str, kind: str) -> None:
    with opened_picture(encoded(kind, mode=mode), "a") as image:
        expected = image.convert("RGB").tobytes()
        assert as_rgb(image).tobytes() == expected


def test_grey_of_16_bits_is_known_and_keeps_its_shades() -> None:
    buffer = io.BytesIO()
    Image.frombytes("I;16", (2, 1), (300).to_bytes(2, "little") + (65535).to_bytes(2, "little")).save(buffer, "PNG")
    assert is_deep_grey(buffer.getvalue())
    assert not is_deep_grey(encoded("PNG"))
    with opened_picture(buffer.getvalue(), "a") as image:
        assert list(as_rgb(image).tobytes()) == [1, 1, 1, 255, 255, 255]


def test_the_largest_size_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_PIXELS", 37 * 21)
    with opened_picture(encoded("PNG"), "a") as image:
        assert image.size == (37, 21)
    monkeypatch.setattr(pictures, "MAX_PIXELS", 37 * 21 - 1)
    with pytest.raises(FrameError, match="pixels"), opened_picture(encoded("PNG"), "a"):
        pass
