"""Who is told of a run's events: the caller, and whoever observes, each in a thread of its own.

An observer is waited for, so that it may rely on order; one that doesn't come back is given up, and holds up no run.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

from egocross_eval.contracts.event import Ended, Event, Warned
from egocross_eval.contracts.faults import guarded
from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.spec import read_options, split_spec
from egocross_eval.errors import UsageError
from egocross_eval.hanging import error_of, give_up, within
from egocross_eval.runs.options import RunOptions

PATIENCE = 60.0
"""Seconds that an observer may take for an event."""

LAST_PATIENCE = 300.0
"""Seconds for the last one, at which trackers send the run's files."""

READY_PATIENCE = 120.0
"""Seconds that a tracker may take to be made: its package is imported, and its server asked."""

HURRY = 5.0
"""Seconds where the wait for it was interrupted once."""

Observe = Callable[[Event], object]


def followers(options: RunOptions, known: Registry) -> dict[str, Callable[[Event], None]]:
    """What the trackers of the options are to be told by, each by its name, made before anything is asked.

    Raises `UsageError` for one that is unknown or can't be used here, or isn't ready in time.
    """
    return {f"tracker {text!r}": _follower(text, known) for text in options.track}


def _follower(text: str, known: Registry) -> Callable[[Event], None]:
    name, place, given = split_spec(text, "tracker")
    kind = known.tracker(name)
    read = read_options(f"--track {name}", kind.options, given)
    with guarded("trackers", name, f"at {text}", known=known):
        came = within(READY_PATIENCE, lambda: kind.build(place or "", read), f"tracker {text!r}")
        if came is None:
            raise UsageError(
                f"--track {text}: it wasn't ready within {READY_PATIENCE:g} s; look at its server and the network, or "
                "leave it out"
            )
        return came.result()


class Teller:
    """Tells the caller and the observers; one that raises or hangs is warned of once and told no more.

    A context manager: at its end the observers' threads are let go.
    """

    def __init__(
        self, on_event: Callable[[Event], None], known: Registry, followers: Mapping[str, Observe] | None = None
    ) -> None:
        self._on_event = on_event
        self._own: list[Callable[[Event], None]] = []
        plugins = {f"plugin {name!r}": functools.partial(_told, tell) for name, tell in known.observers().items()}
        self._observers = {name: _Observer(name, tell) for name, tell in (plugins | dict(followers or {})).items()}

    def __enter__(self) -> Teller:
        return self

    def __exit__(self, *error: object) -> None:
        for observer in self._observers.values():
            observer.let_go()

    def add(self, observe: Callable[[Event], None]) -> None:
        """Tells another of ours, which may end the run by raising; last of all, so that everybody knows by then."""
        self._own.append(observe)

    def __call__(self, event: Event) -> None:
        """Tells everybody of an event."""
        self._on_event(event)
        for name, observer in list(self._observers.items()):
            fault = observer.tell(event)
            # Another thread, which watches over a run that stands still, may have met the same.
            if fault and self._observers.pop(name, None) is not None:
                observer.let_go()
                self._on_event(Warned(message=fault))
        for own in self._own:
            own(event)


def _told(observe: Callable[..., object], event: Event) -> None:
    observe(event=event)


class _Observer:
    """One observer and its thread."""

    def __init__(self, name: str, observe: Observe) -> None:
        self._name = name
        self._observe = observe
        self._calls: SimpleQueue[tuple[Event, Future[None]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._hurries = False

    def tell(self, event: Event) -> str:
        """Waits until it knows; what is wrong where it raises or takes too long, else nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        came: Future[None] = Future()
        self._calls.put((event, came))
        kind, seconds = type(event).__name__, LAST_PATIENCE if isinstance(event, Ended) else PATIENCE
        seconds = min(seconds, HURRY) if self._hurries else seconds
        out = sys.stdout
        try:
            error = error_of(came, seconds)
        except TimeoutError:
            self._give_up(came, out)
            return (
                f"the {self._name} did not come back from the event {kind} within {seconds:g} s and is told no more; "
                "the run goes on without it"
            )
        except BaseException:  # interrupted
            self._hurries = True
            self._give_up(came, out)
            raise
        return f"the {self._name} failed on the event {kind} and is told no more: {error!r}" if error else ""

    def let_go(self) -> None:
        """It is told nothing more: its thread ends."""
        self._calls.put(None)

    def _give_up(self, came: Future[None], out: Any) -> None:
        give_up(lambda: not came.done())
        # What it prints may have been led elsewhere, as by `contextlib.redirect_stdout`.
        sys.stdout = out

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            event, came = call
            try:
                self._observe(event)
            except BaseException as error:  # whatever it raises, SystemExit too, must not end the run
                came.set_exception(error)
            else:
                came.set_result(None)
