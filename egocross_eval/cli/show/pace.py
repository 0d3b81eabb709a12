"""How fast answers come while a model answers, and how long the rest will take."""

from __future__ import annotations

import time
from collections.abc import Callable

_TOGETHER = 0.2
"""Seconds within which answers come together, as those of one batch."""


class Pace:
    """The pace of the answers from the first on: what was before it is loading. Batches count when the next one comes,
    as only then is known how long one takes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first = self._mark = 0.0
        self._answers = self._before = 0

    def add(self) -> None:
        """The model has given an answer."""
        now = self._clock()
        if not self._answers:
            self._first = self._mark = now
        elif now - self._mark >= _TOGETHER:
            self._mark, self._before = now, self._answers
        self._answers += 1

    @property
    def rate(self) -> float | None:
        """Answers a second; None while there is a first batch alone."""
        return self._before / (self._mark - self._first) if self._before else None

    def text(self, left: int) -> str:
        """E.g. `5.1/s, about 3 min left` for so many to come; empty while it isn't known."""
        rate = self.rate
        return f"{self.speed}, about {duration(left / rate)} left" if rate else ""

    @property
    def speed(self) -> str:
        """E.g. `5.1/s`, and `12/min` where it's slow; empty while it isn't known."""
        rate = self.rate
        if rate is None:
            return ""
        return f"{rate:.1f}/s" if rate >= 1 else f"{60 * rate:.0f}/min" if rate >= 0.1 else f"{3600 * rate:.0f}/h"


def duration(seconds: float) -> str:
    """E.g. `40 s`, `3 min`, `2.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
