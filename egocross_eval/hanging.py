"""Code of others that doesn't come back, and the end of a process in which it still runs."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable

_given_up: list[Callable[[], bool]] = []


def give_up(still_runs: Callable[[], bool]) -> None:
    """Keeps in mind what nobody waits for any longer; `still_runs` says whether it came back after all."""
    _given_up.append(still_runs)


def end_process(code: int) -> None:
    """Ends the process at once where something that was given up still runs; returns where nothing does.

    At its end Python waits for threads, and libraries for what they have to send: that would be for ever.
    """
    if not any(still_runs() for still_runs in _given_up):
        return
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
