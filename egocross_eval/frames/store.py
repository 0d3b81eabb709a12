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
from typing import Any

from egocross_eval.files import open_regular
from egocross_eval.frames.pictures import (
    TAIL,
    Format,
    FrameError,
    as_rgb,
    check_size,
    is_cut_off,
    is_deep_grey,
    jpeg_header,
    opened_picture,
    picture_format,
    png_header,
)

KEPT_BYTES = 24 * 2**20
"""Upper bound of file bytes kept between hashing a request's frames and sending them."""

_State = tuple[int, int, int, int]

LARGEST = 64 * 2**20
"""Most bytes of a frame file."""

_MIME = {"JPEG": "image/jpeg", "PNG": "image/png"}


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


def scaled_frame(path: str, max_pixels: int | None, *, jpeg: bool = False) -> tuple[bytes, str]:
    """The picture at `path` with at most `max_pixels` pixels (width x height), and its MIME type.

    A picture that fits, and any picture when `max_pixels` is None, keeps its bytes unchanged, but for grey PNG of 16
    bits, which readers disagree about: it gets 8. A larger one is scaled down with its aspect ratio kept; a JPEG gets
    quality 95, or as much less as keeps the copy from being larger than the file. `jpeg`: a PNG becomes a JPEG. The
    format is told from the content, never from the name. Raises FrameError as `frame_bytes` does and where it is no
    picture.
    """
    data = frame_bytes(path)
    kind = picture_format(data)
    if kind is None:
        raise FrameError(f"frame {path}: neither JPEG nor PNG; fetch it again")
    width, height = _header_size(data) or picture_size(path)
    check_size((width, height), path)
    form: Format = "JPEG" if jpeg else kind
    if max_pixels is not None and width * height > max_pixels:
        data = _scaled(data, form, fitting_size(width, height, max_pixels), path)
    elif form != kind or is_deep_grey(data):
        data = _scaled(data, form, (width, height), path)
    return data, _MIME[form]


def picture_size(path: str) -> tuple[int, int]:
    """(width, height) in pixels of the picture at `path`, from its header alone.

    Raises FrameError as `frame_bytes` does and where it is no picture.
    """
    try:
        state = _state(os.stat(path))  # noqa: PTH116 - called for every frame of a run
        size = _sizes.get(state)
        if size is None:
            kept = _kept.get(state)
            size = _sizes[state] = (_header_size(kept) if kept else None) or _opened_size(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    return size


def _header_size(data: bytes) -> tuple[int, int] | None:
    header = jpeg_header(data) or png_header(data)
    return header[:2] if header else None


def _opened_size(path: str) -> tuple[int, int]:
    with os.fdopen(open_regular(path)[0], "rb") as file, opened_picture(file, path) as image:
        return image.size


def _state(status: os.stat_result) -> _State:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _load(path: str) -> tuple[_State, bytes]:
    try:
        descriptor, status = open_regular(path)
        try:
            data = _read(descriptor, status.st_size)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _unreadable(path, error) from error
    if not data:
        raise FrameError(f"frame {path}: the file is empty; fetch it again")
    if len(data) > LARGEST:
        raise FrameError(f"frame {path}: the file has more than {LARGEST:,} bytes, so it is no frame")
    kind = picture_format(data)
    if kind is not None and is_cut_off(kind, data[-TAIL:]):
        raise FrameError(f"frame {path}: the picture is truncated; fetch it again")
    state = _state(status)
    _kept.put(state, data)
    return state, data


def _read(descriptor: int, size: int) -> bytes:
    """What an open file of `size` bytes holds, in one system call as a rule; `LARGEST` and one byte at most."""
    data = os.read(descriptor, min(size, LARGEST) + 1)
    if len(data) == size:
        return data
    pieces, room = [data], LARGEST + 1 - len(data)
    while room > 0 and (piece := os.read(descriptor, min(room, 2**20))):
        pieces.append(piece)
        room -= len(piece)
    return b"".join(pieces)


def _unreadable(path: str, error: OSError) -> FrameError:
    if isinstance(error, FileNotFoundError):
        return FrameError(f"frame {path}: no such file; fetch the frames or check the data root")
    return FrameError(f"frame {path}: can't be read ({error.strerror or error})")


def fitting_size(width: int, height: int, max_pixels: int) -> tuple[int, int]:
    """The largest whole size of about the same aspect ratio with width x height <= max_pixels."""
    scale = math.sqrt(max_pixels / (width * height))
    new_width, new_height = max(1, int(width * scale)), max(1, int(height * scale))
    return min(new_width, max(1, max_pixels // new_height)), min(new_height, max_pixels)


def _scaled(data: bytes, form: Format, size: tuple[int, int], path: str) -> bytes:
    """A copy of that size; of the settings of its form, the first with which it isn't larger than the original."""
    from PIL import Image

    with opened_picture(data, path) as image:
        plain = image.mode in (("L", "LA", "RGB", "RGBA") if form == "PNG" else ("L", "RGB"))
        # A colour profile of another mode than the one that is written misleads.
        names = ("exif", "icc_profile") if plain else ("exif",)
        kept = {name: image.info[name] for name in names if image.info.get(name)}
        image.draft(image.mode, size)  # JPEG: decodes at a half, quarter or eighth where that is still large enough
        picture = image if plain else as_rgb(image)
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        for settings in _SETTINGS[form]:
            output = io.BytesIO()
            picture.save(output, form, **settings, **kept)
            if output.tell() <= len(data):
                break
    return output.getvalue()


_SETTINGS: dict[Format, tuple[dict[str, Any], ...]] = {
    "PNG": ({"compress_level": 3}, {"compress_level": 9}),
    "JPEG": tuple({"quality": quality} for quality in (95, 90, 85, 80, 75, 65, 50, 35, 20)),
}
