"""Which packages lmms-eval's code looked for in vain: many of its classes go on without, and fail later."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from types import FrameType
from typing import Any


class _Finder(MetaPathFinder):
    """The last that is asked for a module: what comes here isn't installed."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: Any = None) -> None:
        """Finds nothing; remembers packages that lmms-eval's own code asked for."""
        if path is None and _asked_by_lmms_eval(sys._getframe(1)):
            self.names[fullname] = None


def _asked_by_lmms_eval(frame: FrameType | None) -> bool:
    while frame is not None and "importlib" in frame.f_code.co_filename:
        frame = frame.f_back
    return frame is not None and str(frame.f_globals.get("__name__", "")).startswith("lmms_eval.")


@contextmanager
def looked_for() -> Iterator[dict[str, None]]:
    """The packages' names, as they're missed."""
    finder = _Finder()
    sys.meta_path.append(finder)
    try:
        yield finder.names
    finally:
        sys.meta_path.remove(finder)
