"""Bounds what requests under way hold in memory."""

from __future__ import annotations

import asyncio
from collections import deque


class ByteBudget:
    """Bounds the bytes that requests hold at once. First come, first served; one larger than all of it goes alone."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._held = 0.0
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()

    async def take(self, size: float) -> Hold:
        """Waits until `size` bytes fit, or until nothing else is held."""
        if not self._waiting and self._fits(size):
            self._held += size
            return Hold(self, size)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            # Its turn may have come just before; else it has left the row for those behind it.
            self.give_back(size if turn.done() and not turn.cancelled() else 0)
            raise
        return Hold(self, size)

    def give_back(self, size: float) -> None:
        """Frees `size` bytes for those that wait."""
        self._held -= size
        while self._waiting and (self._waiting[0][1].cancelled() or self._fits(self._waiting[0][0])):
            size, turn = self._waiting.popleft()
            if not turn.cancelled():
                self._held += size
                turn.set_result(None)

    def _fits(self, size: float) -> bool:
        return self._held <= 0 or self._held + size <= self._limit


class Hold:
    """A share of a `ByteBudget`, given back once."""

    def __init__(self, budget: ByteBudget, size: float) -> None:
        self._budget = budget
        self._size = size

    def release(self) -> None:
        """Gives the share back; further calls do nothing."""
        size, self._size = self._size, 0
        if size:
            self._budget.give_back(size)
