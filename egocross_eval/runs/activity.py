"""What a run is doing, for those who look on: `activity.json` in the run folder, written anew every two seconds.

Nothing depends on it: a run without it is as good as one with it. It holds how long processes worked on the run, which
a rate is made of, and what the run waits for, so that a stalled engine has a name.
"""

from __future__ import annotations

import contextlib
import os
import platform
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import msgspec

from egocross_eval.counted import agreed, counted
from egocross_eval.documents import decode_json
from egocross_eval.errors import UsageError
from egocross_eval.files import read_bytes, write_file
from egocross_eval.runs.store import ACTIVITY_FILE, pretty_json

EVERY = 2.0
"""Seconds from one writing to the next."""


PATIENT = 60.0
"""Seconds without an answer that are never called a stall; ten times the usual gap isn't either."""


class Stint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One process at work on a run. Times are UTC, ISO 8601."""

    host: str
    pid: int
    begun: str
    seen: str
    """When it last wrote this."""
    answered: int = 0
    """Questions that the model answered, those from the response cache left out."""
    first: str = ""
    """When the first of them was answered; a model is loaded before."""
    last: str = ""
    ended: bool = False
    """Asking came to its end, in whatever way. False for one that is at work, or was killed."""


class Activity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`activity.json`."""

    stints: tuple[Stint, ...]
    """The last one may be at work still."""
    open: int = 0
    """Requests whose answer is awaited."""
    oldest: str = ""
    """The one of them that waits longest, by its key."""
    oldest_since: str = ""
    waits_for: str = ""
    """What the adapter says that it waits for."""


class OpenNow(NamedTuple):
    """The requests whose answer is awaited."""

    waiting: int
    oldest: str
    since: datetime | None


def read_activity(folder: Path) -> Activity | None:
    """What a run folder says of its activity; None where it says nothing that can be read."""
    path = folder / ACTIVITY_FILE
    if not path.is_file():
        return None
    with contextlib.suppress(UsageError):
        return decode_json(read_bytes(path, follow=False), Activity, str(path))
    return None


def pace(activity: Activity | None) -> float | None:
    """Questions a second while the model answered, loading left out; None where too little is known.

    What was answered in the very instant of another counts with it: an engine that fills a batch answers it at once.
    """
    answered, seconds = 0, 0.0
    for stint in activity.stints if activity is not None else ():
        if stint.answered > 1:
            answered += stint.answered - 1
            seconds += seconds_between(stint.first, stint.last)
    return answered / seconds if answered and seconds > 0 else None


def working_seconds(activity: Activity | None) -> float | None:
    """Seconds that processes worked on the run, loading included; None where it isn't known."""
    if activity is None or not activity.stints:
        return None
    return sum(seconds_between(stint.begun, stint.seen) for stint in activity.stints)


def seconds_between(earlier: str, later: str) -> float:
    """Seconds from one time to another."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def silence(stint: Stint, now: datetime) -> float:
    """Seconds since the last answer of a process, or since it began."""
    return (now - datetime.fromisoformat(stint.last or stint.begun)).total_seconds()


def is_stall(stint: Stint, now: datetime) -> bool:
    """Whether nothing was answered for so long that something may be wrong."""
    gap = seconds_between(stint.first, stint.last) / max(1, stint.answered - 1) if stint.answered else 0.0
    return silence(stint, now) > max(PATIENT, 10 * gap)


def awaited(activity: Activity, now: datetime) -> str:
    """What is waited for, and since when."""
    texts = [activity.waits_for] if activity.waits_for else []
    if activity.oldest:
        since = (now - datetime.fromisoformat(activity.oldest_since)).total_seconds()
        out = f"{counted(activity.open, 'request')} {agreed(activity.open, 'is', 'are')} out"
        texts.append(f"{out}, {activity.oldest} for {since:.0f} s")
    if not activity.stints[-1].last:
        texts.append("nothing was answered yet")
    return "; ".join(texts)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class ActivityLog:
    """Keeps `activity.json` up to date while a run asks; a context manager."""

    def __init__(
        self,
        folder: Path,
        open_now: Callable[[], OpenNow],
        waits_for: Callable[[], str],
        on_stall: Callable[[str], None] = lambda text: None,
    ) -> None:
        """`on_stall` is told, in a thread of this log's, of a run that stands still: what waits, and since when."""
        earlier = read_activity(folder)
        self._path = folder / ACTIVITY_FILE
        self._earlier = earlier.stints if earlier is not None else ()
        self._open_now, self._waits_for = open_now, waits_for
        self._begun, self._first, self._last, self._answered = _now(), "", "", 0
        self._on_stall, self._next_stall = on_stall, PATIENT
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="activity", daemon=True)

    def answered(self) -> None:
        """A question was answered by the model."""
        self._last = _now()
        self._first = self._first or self._last
        self._answered += 1
        self._next_stall = PATIENT

    def __enter__(self) -> ActivityLog:
        self._write()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._write()

    def _keep(self) -> None:
        while not self._ended.wait(EVERY):
            self._write()
            with contextlib.suppress(Exception):  # as for writing: whoever is told mustn't end this
                self._tell_of_stall()

    def _tell_of_stall(self) -> None:
        """Tells once that nothing was answered for long, and again after twice that time."""
        activity = self._activity()
        now = datetime.now(UTC)
        silent = silence(activity.stints[-1], now)
        if silent < self._next_stall or not is_stall(activity.stints[-1], now):
            return
        self._next_stall = 2 * silent
        self._on_stall(f"no answer for {silent:.0f} s: {awaited(activity, now)}")

    def _write(self) -> None:
        """Writes the file. Nothing that goes wrong here, an adapter's own code included, is worth ending a run for."""
        with contextlib.suppress(Exception):
            write_file(self._path, pretty_json(self._activity()), durable=False)

    def _activity(self) -> Activity:
        stint = Stint(
            host=platform.node(),
            pid=os.getpid(),
            begun=self._begun,
            seen=_now(),
            answered=self._answered,
            first=self._first,
            last=self._last,
            ended=self._ended.is_set(),
        )
        now = self._open_now()
        return Activity(
            stints=(*self._earlier, stint),
            open=now.waiting,
            oldest=now.oldest,
            oldest_since=now.since.isoformat(timespec="milliseconds") if now.since else "",
            waits_for="" if self._ended.is_set() else self._waits_for(),
        )
