"""Servers of tests that run in a thread of their own."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AbstractAsyncContextManager
from typing import Self


class ServerThread:
    """A server that is up while this is entered; `url` is its address then."""

    url: str

    def serving(self) -> AbstractAsyncContextManager[str]:
        """Starts the server, gives its address, and ends it."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(60), "the server did not start"
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        async with self.serving() as self.url:
            self._ready.set()
            await self._stopping.wait()
