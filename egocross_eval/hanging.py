"""Code of others that doesn't come back, and the end of a process in which it still runs."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, TypeVar

T = TypeVar("T")

_given_up: list[Callable[[], bool]] = []


def give_up(still_runs: Callable[[], bool]) -> None:
    """Keeps in mind what nobody waits for any longer; `still_runs` says whether it came back after all."""
    _given_up.append(still_runs)


def within(seconds: float, call: Callable[[], T], name: str) -> Future[T] | None:
    """What became of a call, which is made in a thread of that name; None, and given up, where it isn't over in so many
    seconds. It is given up on Ctrl-C too."""
    came: Future[T] = Future()
    threading.Thread(target=_make, args=(call, came), name=name, daemon=True).start()
    try:
        error_of(came, seconds)
    except BaseException as error:  # too late, or interrupted
        give_up(lambda: not came.done())
        if isinstance(error, TimeoutError):
            return None
        raise
    return came


def _make(call: Callable[[], T], came: Future[T]) -> None:
    try:
        came.set_result(call())
    except BaseException as error:  # SystemExit too is for who waits
        came.set_exception(error)


def error_of(came: Future[Any], seconds: float) -> BaseException | None:
    """What a call raised. Raises `TimeoutError` where it isn't over in so many seconds."""
    end = time.monotonic() + seconds
    while not came.done() and (left := end - time.monotonic()) > 0:
        # In pieces: a Ctrl-C that comes in the instant before waiting begins doesn't end it.
        wait([came], min(left, 0.5))
    return came.exception(0)


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
