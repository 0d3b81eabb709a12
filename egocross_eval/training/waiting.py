"""Waiting for another process or machine: for what, where and how long is said, and after a bound it ends."""

from __future__ import annotations

import time

from egocross_eval.errors import RunError
from egocross_eval.training.environment import Say

PATIENCE = 1800.0
"""Seconds after which a wait ends: another machine may have to build the training environment first."""

EVERY = 60.0
"""Seconds between two words about a wait."""


class Waiting:
    """One wait. `look` is called whenever what is waited for isn't there yet."""

    def __init__(self, what: str, remedy: str, say: Say) -> None:
        self._what, self._remedy, self._say = what, remedy, say
        self._began = self._said = time.monotonic()
        say(f"waiting for {what}, {PATIENCE / 60:.0f} minutes at most")

    def look(self) -> None:
        """Says how long it has been, once a minute. Raises `RunError` with the remedy once it's over."""
        now = time.monotonic()
        waited = f"{(now - self._began) / 60:.0f} of {PATIENCE / 60:.0f} minutes"
        if now - self._began >= PATIENCE:
            raise RunError(f"waited for {self._what}, {PATIENCE / 60:.0f} minutes in vain: {self._remedy}")
        if now - self._said >= EVERY:
            self._said = now
            self._say(f"still waiting for {self._what}: {waited}")
