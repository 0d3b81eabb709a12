"""Who is told of a run's events: the caller, and whoever observes, each in a thread of its own.

An observer is waited for, so that it may rely on order; one that doesn't come back is given up, and holds up no run.
"""

from __future__ import annotations

import functools
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from queue import SimpleQueue
from typing import Any

from egocross_eval.contracts.event import Ended, Event, Warned
from egocross_eval.contracts.registry import Registry
from egocross_eval.hanging import give_up

PATIENCE = 60.0
"""Seconds that an observer may take for an event."""

LAST_PATIENCE = 300.0
"""Seconds for the last one, at which trackers send the run's files."""

HURRY = 5.0
"""Seconds where the wait for it was interrupted once."""

Observe = Callable[[Event], object]


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


def _error_of(came: Future[None], seconds: float) -> BaseException | None:
    """What the call raised. Raises `TimeoutError` where it isn't over in so many seconds."""
    end = time.monotonic() + seconds
    while not came.done() and (left := end - time.monotonic()) > 0:
        # In pieces: a Ctrl-C that comes in the instant before waiting begins doesn't end it.
        wait([came], min(left, 0.5))
    return came.exception(0)


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
            error = _error_of(came, seconds)
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
