"""What bodies begin with, frames included: made once for requests in a row that begin alike."""

from __future__ import annotations

import asyncio
import os

import msgspec

from egocross_eval.model_adapters.openai.body import BodyWriter, before_last_words
from egocross_eval.model_adapters.openai.pieces import Piece, ready
from egocross_eval.schema import Message, Part, Request


class _Alike(msgspec.Struct, frozen=True):
    """Equal for requests whose bodies begin alike."""

    earlier: tuple[Message, ...]
    parts: tuple[Part, ...]
    hashes: tuple[str, ...]
    max_pixels: int | None


class Beginnings:
    """Finds the beginnings of bodies. The last one is kept: a method asks a dozen times about the same frames."""

    def __init__(self, bodies: BodyWriter, model: str) -> None:
        self._bodies = bodies
        self._model = model
        self._last: Beginning | None = None

    def of(self, request: Request) -> Beginning:
        """That of a request: the same object for requests in a row that begin alike."""
        prompt = request.prompt
        earlier, last = prompt.messages[:-1], prompt.messages[-1]
        alike = _Alike(earlier, before_last_words(last), request.frame_hashes, prompt.max_pixels)
        if self._last is None or self._last.alike != alike:
            self._last = Beginning(self._bodies, self._model, request, alike)
        return self._last


class Beginning:
    """What one body or several begin with.

    The first gets its frames one by one, to be put into base64 as they're sent; those that follow share all of it ready
    to be sent.
    """

    def __init__(self, bodies: BodyWriter, model: str, request: Request, alike: _Alike) -> None:
        self.alike = alike
        self.file_bytes = _file_bytes(request)
        self._bodies = bodies
        self._model = model
        self._request = request
        self._pieces: list[Piece] = []
        self._lock = asyncio.Lock()

    async def pieces(self) -> list[Piece]:
        """What is to be sent. Raises as `BodyWriter.beginning` does."""
        async with self._lock:
            if not self._pieces:
                self._pieces = await self._made()
            elif len(self._pieces) > 1:
                self._pieces = [b"".join(map(ready, self._pieces))]
        return self._pieces

    async def _made(self) -> list[Piece]:
        if self._request.prompt.max_pixels is None:
            return self._bodies.beginning(self._request, self._model)
        # Scaling decodes and encodes pictures: in threads, so that other requests go on meanwhile.
        return await asyncio.to_thread(self._bodies.beginning, self._request, self._model)


def _file_bytes(request: Request) -> int:
    """Size of all frame files; a missing one counts nothing here and is reported when it's read."""
    size = 0
    for path in request.prompt.frame_paths():
        try:
            size += os.stat(path).st_size  # noqa: PTH116 - called for every frame of a run
        except OSError:
            continue
    return size
