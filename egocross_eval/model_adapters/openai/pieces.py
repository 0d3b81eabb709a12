"""A body in pieces: text that is ready to send, and frames that become base64 one at a time, as they're sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import aiohttp
import msgspec
import pybase64
from aiohttp.abc import AbstractStreamWriter

WRITTEN = 2**18
"""Bytes given to a connection at once: of more, what it can't take yet would be copied."""


class EncodedFrame(msgspec.Struct, frozen=True):
    """File bytes that go into the body in base64."""

    data: bytes

    @property
    def size(self) -> int:
        """Length in bytes once encoded."""
        return (len(self.data) + 2) // 3 * 4


Piece = bytes | EncodedFrame


class JsonBody(aiohttp.Payload):
    """A body whose frames are put into base64 one at a time, as the connection takes them.

    Each piece is let go once written, so that nothing of it is left while the server thinks; `on_sent` is called after
    the last one, or when sending ends early.
    """

    _default_content_type = "application/json"

    def __init__(self, pieces: list[Piece], on_sent: Callable[[], None]) -> None:
        super().__init__(None)
        self._on_sent = on_sent
        self._pieces = deque(pieces)
        self._size = sum(piece.size if isinstance(piece, EncodedFrame) else len(piece) for piece in pieces)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The body as text (for debugging tools of the HTTP library)."""
        return b"".join(ready(piece) for piece in self._pieces).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Writes all pieces; waits whenever the connection's buffer is full."""
        pieces = self._pieces
        try:
            while pieces:
                data = memoryview(ready(pieces.popleft()))
                for start in range(0, len(data), WRITTEN):
                    await writer.write(data[start : start + WRITTEN])
        finally:
            self._on_sent()


def ready(piece: Piece) -> bytes:
    """A piece as it is sent."""
    return piece if isinstance(piece, bytes) else pybase64.b64encode(piece.data)
