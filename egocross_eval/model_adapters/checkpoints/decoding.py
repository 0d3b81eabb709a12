"""From frame files to what a processor takes: decoded once, scaled at once, shared between requests."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from egocross_eval.frames import pictures
from egocross_eval.frames.pictures import as_rgb, jpeg_header, opened_picture
from egocross_eval.frames.store import frame_bytes, picture_size
from egocross_eval.model_adapters.checkpoints.scaling import Size, shrunk

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.Image import Image

KEPT_BYTES = 256 * 2**20
"""Upper bound of decoded frames kept for later: about a fifth of the benchmark's frames are copies of others."""

RGB_COMPONENTS = 3


def read_size(path: str) -> Size:
    """(height, width) of a frame file from its header. Raises FrameError naming the file."""
    width, height = picture_size(path)
    return height, width


def read_frame(path: str) -> Image:
    """The decoded frame as `as_rgb` has it. Raises FrameError naming the file."""
    with opened_picture(frame_bytes(path), path) as image:
        return as_rgb(image)


def read_tensor(path: str) -> Any:
    """The decoded frame as a uint8 tensor of shape (3, height, width), of the same values as `read_frame`.

    A view with the channels last, which torchvision scales to the same values in half the time. Raises FrameError.
    """
    tensor = _decoded_jpeg(frame_bytes(path))
    return image_tensor(read_frame(path)) if tensor is None else tensor


def _decoded_jpeg(data: bytes) -> Any:
    """A colour JPEG decoded by simplejpeg, to the values that Pillow decodes in less time; else None.

    None where it's not installed, for whatever it doesn't decode without a warning, and for pictures that are too
    large: Pillow has the last word on files, and turns other colour spaces into RGB by rules of its own.
    """
    width, height, components = jpeg_header(data) or (0, 0, 0)
    if components != RGB_COMPONENTS or width * height > pictures.MAX_PIXELS:
        return None
    try:
        from simplejpeg import decode_jpeg
    except ImportError:
        return None
    import torch

    try:
        return torch.from_numpy(decode_jpeg(data, "RGB")).permute(2, 0, 1)
    except ValueError:
        return None


def image_tensor(image: Image) -> Any:
    """A picture in RGB as a uint8 tensor of shape (3, height, width), the channels last in memory."""
    import numpy as np
    import torch

    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def scaled_tensor(frame: Any, size: Size, interpolation: Any) -> Any:
    """A uint8 tensor of shape (3, height, width), scaled as transformers' torchvision processors do."""
    from torchvision.transforms.v2 import functional

    return functional.resize(frame, list(size), interpolation=interpolation, antialias=True).contiguous()


def shrunk_image(image: Image, budget: int | None) -> Image:
    """The frame, scaled down by Pillow to at most `budget` pixels."""
    from PIL import Image

    height, width = shrunk((image.height, image.width), budget)
    if (width, height) == image.size:
        return image
    return image.resize((width, height), Image.Resampling.BICUBIC)


class FrameCache:
    """Decoded frames by key, the most recently used ones up to a number of bytes; safe for several threads.

    A frame that two threads ask for at the same time is decoded by one of them.
    """

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._frames: OrderedDict[Any, tuple[Future[Any], int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Any, load: Callable[[], Any], size: int) -> Any:
        """The frame kept under `key`, or what `load` returns, of `size` bytes; errors of `load` aren't kept."""
        with self._lock:
            kept = self._frames.get(key)
            if kept is not None:
                self._frames.move_to_end(key)
            else:
                mine: Future[Any] = Future()
                self._frames[key] = (mine, size)
                self._size += size
        if kept is not None:
            return kept[0].result()
        try:
            frame = load()
        except BaseException as error:
            self._drop(key)
            mine.set_exception(error)
            raise
        mine.set_result(frame)
        self._shrink()
        return frame

    def _drop(self, key: Any) -> None:
        with self._lock:
            self._size -= self._frames.pop(key)[1]

    def _shrink(self) -> None:
        with self._lock:
            while self._size > self._limit:
                oldest, (future, size) = next(iter(self._frames.items()))
                if not future.done():
                    return
                del self._frames[oldest]
                self._size -= size
