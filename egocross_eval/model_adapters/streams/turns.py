"""Lets requests to an engine in the order in which its cache of prompts helps: of those that begin alike one first."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable


class Turns:
    """Bounds the requests at an engine, and keeps those that begin alike back until the first of them was read.

    Requests that reach an engine in the same instant are computed side by side, each from its own beginning; one that
    comes after another's prompt was computed finds the common beginning in the engine's cache. Those that wait for
    another take no room, so that others fill the engine meanwhile; once they may go, they go before others, while what
    they share is still kept. For one event loop.
    """

    def __init__(self, room: int) -> None:
        """`room`: most requests at the engine at once."""
        self._room = room
        self._leaders: dict[Hashable, Turn] = {}
        self._following: deque[asyncio.Future[None]] = deque()
        self._fresh: deque[asyncio.Future[None]] = deque()

    def turn(self, beginning: Hashable | None) -> Turn:
        """The turn of a request; `beginning` is equal for those that begin alike, None for one that stands alone."""
        turn = Turn(self, self._leaders.get(beginning))
        if beginning is not None and turn.leader is None:
            self._leaders[beginning] = turn
            turn.leads = beginning
        return turn

    async def enter(self, *, first: bool) -> None:
        """Waits for room, before or behind the other ones that wait."""
        if self._room and not (self._following or self._fresh):
            self._room -= 1
            return
        free: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._following if first else self._fresh).append(free)
        try:
            await free
        except asyncio.CancelledError:
            if free.done() and not free.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """Gives room back: to those that wait, once those that were just let go have joined them."""
        self._room += 1
        asyncio.get_running_loop().call_soon(self._fill)

    def forget(self, beginning: Hashable) -> None:
        """From now on, the next request with this beginning leads."""
        del self._leaders[beginning]

    def _fill(self) -> None:
        while self._room and (row := self._following or self._fresh):
            free = row.popleft()
            if not free.cancelled():
                self._room -= 1
                free.set_result(None)


class Turn:
    """The turn of one request: `come`, then `read` once its prompt was computed, and `end` in any case."""

    def __init__(self, turns: Turns, leader: Turn | None) -> None:
        self._turns = turns
        self._was_read = asyncio.Event()
        self._inside = False
        self.leader = leader
        """The request that this one waits for."""
        self.leads: Hashable | None = None
        """The beginning that others wait for."""
        self.awaited = False
        """Whether others do."""
        if leader is not None:
            leader.awaited = True

    async def come(self) -> None:
        """Waits until the request may go to the engine."""
        if self.leader is not None:
            await self.leader._was_read.wait()
        await self._turns.enter(first=self.leader is not None)
        self._inside = True

    def read(self) -> None:
        """Lets those go that wait for this one's prompt."""
        self._was_read.set()
        leads, self.leads = self.leads, None
        if leads is not None:
            self._turns.forget(leads)

    def end(self) -> None:
        """Gives the room back; the request has its answer, or gets none."""
        self.read()
        inside, self._inside = self._inside, False
        if inside:
            self._turns.leave()
