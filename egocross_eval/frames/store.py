"""Bytes, content hashes and scaled copies of frame files, each read from disk once while a request is being prepared.

All functions are safe to call from several threads. What is kept is bounded: file bytes up to `KEPT_BYTES`, and one
short hash and the picture's size for each file seen. All are keyed by the file's identity and state (device, inode,
size, modification time), so a file that is replaced during a run is read again.
"""

from __future__ import annotations

import io
import math
import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from egocross_eval.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

KEPT_BYTES = 24 * 2**20
"""Upper bound of file bytes kept between hashing a request's frames and sending them."""

_State = tuple[int, int, int, int]

_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers whose segment holds the picture's size (ITU-T T.81, table B.1)."""

_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG markers that stand alone (ITU-T T.81, table B.1)."""


class FrameError(DataError):
    """A frame file is missing, empty, unreadable or no picture."""


class _KeptBytes:
    """The most recently read files, bounded by their total size."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._files: OrderedDict[_State, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, state: _State) -> bytes | None:
        with self._lock:
            data = self._files.get(state)
            if data is not None:
                self._files.move_to_end(state)
            return data

    def put(self, state: _State, data: bytes) -> None:
        if len(data) > self._limit:
            return
        with self._lock:
            if state in self._files:
                return
            self._files[state] = data
            self._size += len(data)
            while self._size > self._limit:
                _, dropped = self._files.popitem(last=False)
                self._size -= len(dropped)


_kept = _KeptBytes(KEPT_BYTES)
_hashes: dict[_State, str] = {}
_sizes: dict[_State, tuple[int, int]] = {}


def frame_bytes(path: str) -> bytes:
    """The bytes of the file at `path`, unchanged.

    Raises FrameError, naming the file, when it is missing, empty or can't be read.
    """
    try:
        kept = _kept.get(_state(os.stat(path)))  # noqa: PTH116 - called for every frame of a run
    except OSError as error:
        raise _unreadable(path, error) from error
    return kept or _load(path)[1]


def frame_hash(path: str) -> str:
    """Content hash of the file at `path`: xxh3-128 as 32 hex digits; equal hashes are equal bytes.

    Raises FrameError as `frame_bytes` does.
    """
    try:
        known = _hashes.get(_state(os.stat(path)))  # noqa: PTH116 - called for every frame of a run
    except OSError as error:
        raise _unreadable(path, error) from error
    if known is not None:
        return known
    from xxhash import xxh3_128_hexdigest

    state, data = _load(path)
    digest = _hashes[state] = xxh3_128_hexdigest(data)
    return digest


def scaled_frame(path: str, max_pixels: int | None) -> tuple[bytes, str]:
    """The picture at `path` with at most `max_pixels` pixels (width x height), and its MIME type.

    A picture that fits, and any picture when `max_pixels` is None, keeps its bytes unchanged. A larger one is scaled
    down with its aspect ratio kept; it stays PNG if it was PNG and becomes JPEG of quality 95 otherwise. The type is
    told from the content, never from the name. Raises FrameError as `frame_bytes` does and where it is no picture.
    """
    data = frame_bytes(path)
    mime = frame_mime(data)
    if mime is None:
        raise FrameError(f"frame {path}: not a picture of a known format (JPEG, PNG, WebP, GIF, BMP); fetch it again")
    if max_pixels is None:
        return data, mime
    width, height = frame_size(data, path)
    if width * height <= max_pixels:
        return data, mime
    return _scaled(data, mime, _fitting(width, height, max_pixels), path)


def frame_mime(data: bytes) -> str | None:
    """MIME type by the first bytes of a picture file, or None if they are of no known format."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"BM"):
        return "image/bmp"
    return None


def frame_size(data: bytes, path: str) -> tuple[int, int]:
    """(width, height) in pixels of a picture file's bytes, from its header alone.

    `path` is only used to name the file in the FrameError that is raised when the header can't be read.
    """
    header = jpeg_header(data)
    size = _png_size(data) or (header and header[:2])
    if size is not None:
        return size
    with _opened(data, path) as image:
        return image.size


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


def picture_size(path: str) -> tuple[int, int]:
    """(width, height) in pixels of the picture at `path`, from its header alone.

    Raises FrameError as `frame_bytes` does and where it is no picture.
    """
    from PIL import Image

    try:
        state = _state(os.stat(path))  # noqa: PTH116 - called for every frame of a run
        size = _sizes.get(state)
        if size is None:
            kept = _kept.get(state)
            if kept is not None:
                size = frame_size(kept, path)
            else:
                with Image.open(path) as image:
                    size = image.size
            _sizes[state] = size
    except FileNotFoundError as error:
        raise _unreadable(path, error) from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise FrameError(f"frame {path}: not a readable picture ({error}); fetch it again") from error
    return size


def _state(status: os.stat_result) -> _State:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _load(path: str) -> tuple[_State, bytes]:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0))
        try:
            status = os.fstat(descriptor)
            state = _state(status)
            data = _read(descriptor, status.st_size)
            _kept.put(state, data)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _unreadable(path, error) from error
    if not data:
        raise FrameError(f"frame {path}: the file is empty; fetch it again")
    return state, data


def _read(descriptor: int, size: int) -> bytes:
    """Everything in an open file that is expected to hold `size` bytes; one system call as a rule."""
    data = os.read(descriptor, size + 1)
    if len(data) == size:
        return data
    pieces = [data]
    while piece := os.read(descriptor, 2**20):
        pieces.append(piece)
    return b"".join(pieces)


def _unreadable(path: str, error: OSError) -> FrameError:
    if isinstance(error, FileNotFoundError):
        return FrameError(f"frame {path}: no such file; fetch the frames or check the data root")
    return FrameError(f"frame {path}: can't be read ({error.strerror or error})")


def _png_size(data: bytes) -> tuple[int, int] | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR" and len(data) >= 24:
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    return None


def _fitting(width: int, height: int, max_pixels: int) -> tuple[int, int]:
    """The largest whole size of about the same aspect ratio with width x height <= max_pixels."""
    scale = math.sqrt(max_pixels / (width * height))
    new_width, new_height = max(1, int(width * scale)), max(1, int(height * scale))
    return min(new_width, max(1, max_pixels // new_height)), min(new_height, max_pixels)


def _opened(data: bytes, path: str) -> Image:
    from PIL import Image

    try:
        return Image.open(io.BytesIO(data))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise FrameError(f"frame {path}: not a readable picture ({error}); fetch it again") from error


def _scaled(data: bytes, mime: str, size: tuple[int, int], path: str) -> tuple[bytes, str]:
    from PIL import Image

    output = io.BytesIO()
    try:
        with _opened(data, path) as image:
            kept = {name: image.info[name] for name in ("exif", "icc_profile") if image.info.get(name)}
            image.draft(image.mode, size)  # JPEG: decodes at a half, quarter or eighth where that is still large enough
            if mime == "image/png":
                picture = image if image.mode in ("L", "LA", "RGB", "RGBA") else image.convert("RGBA")
                picture.resize(size, Image.Resampling.LANCZOS).save(output, "PNG", compress_level=3, **kept)
                return output.getvalue(), mime
            picture = image if image.mode in ("L", "RGB") else image.convert("RGB")
            picture.resize(size, Image.Resampling.LANCZOS).save(output, "JPEG", quality=95, **kept)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise FrameError(f"frame {path}: can't be decoded ({error}); fetch it again") from error
    return output.getvalue(), "image/jpeg"
