"""Which replica of an engine gets a request: the one that has computed how its prompt begins."""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterator

LEAD = 32
"""How many more requests than another a replica may have, for the sake of what it has computed."""


class Ranks:
    """Keeps requests that begin alike together on one of several replicas, each with a cache of prompts of its own.

    A beginning's first request goes to the replica with the fewest under way, and later ones follow it, unless that
    leaves another with too little to do.
    """

    def __init__(self, count: int, lead: int = LEAD) -> None:
        """`count`: replicas; `lead`: see `LEAD`."""
        self._busy = [0] * count
        self._lead = lead
        self._homes: dict[Hashable, int] = {}

    @contextlib.contextmanager
    def rank(self, beginning: Hashable | None) -> Iterator[int]:
        """The replica for a request, which is under way until the block is left; None begins like no other."""
        idlest = min(range(len(self._busy)), key=self._busy.__getitem__)
        chosen = self._homes.setdefault(beginning, idlest) if beginning is not None else idlest
        if self._busy[chosen] - self._busy[idlest] >= self._lead:
            chosen = idlest
        self._busy[chosen] += 1
        try:
            yield chosen
        finally:
            self._busy[chosen] -= 1
