"""The user's cache, which no test sees, for the one thing that is looked for there: the training environment."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest


@contextlib.contextmanager
def in_cache(place: str | None) -> Iterator[None]:
    """The cache is at that place; with None where it is by itself."""
    with pytest.MonkeyPatch.context() as patch:
        if place is None:
            patch.delenv("EGOCROSS_CACHE")
        else:
            patch.setenv("EGOCROSS_CACHE", place)
        yield
