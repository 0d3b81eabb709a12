"""A replica: the inner adapter in a process of its own, asked by exchanges with the driver.

An exchange brings requests and takes responses. It returns as soon as there is something to say, and at the latest
after `PATIENCE`, so that a driver that hears nothing for longer knows that something is wrong.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator
from typing import Any

import msgspec

from egocross_eval.contracts.model import ModelAdapter
from egocross_eval.contracts.registry import registry
from egocross_eval.errors import EgoCrossError
from egocross_eval.model_adapters.spec import build_adapter, parse_spec
from egocross_eval.schema import Request, Response

PATIENCE = 1.0
"""Seconds that an exchange waits for something to say."""

LEAST_AHEAD = 2
MOST_AHEAD = 64
"""Requests kept ready for the engine, half of what it works on within these bounds: what is drawn ahead here can't be
asked elsewhere."""


class Report(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a replica says in an exchange."""

    responses: tuple[Response, ...] = ()
    wanted: int = 0
    """Requests that it can take now."""
    working: int = 0
    """Requests that the engine has drawn and not answered."""
    oldest: str = ""
    """Key of the one that it drew first."""
    oldest_seconds: float = 0.0
    """Since when."""
    idle: bool = False
    """The engine came to the end of what it was given: what it has not answered by now it never will."""
    error: str = ""
    """Why the engine broke; nothing can be asked of it any more."""
    usage: bool = False
    """The error is one of usage."""


class Replica:
    """Runs `generate` of the inner adapter in a thread, on requests that come by exchanges."""

    def __init__(self, spec: str) -> None:
        self._spec = parse_spec(spec)
        self._adapter: ModelAdapter = build_adapter(self._spec, registry())
        self._changed = threading.Condition()
        self._queue: deque[Request] = deque()
        self._responses: list[Response] = []
        self._working: dict[str, float] = {}
        self._ended = False
        self._error = ""
        self._usage = False
        self._thread: threading.Thread | None = None

    def fingerprint(self) -> str | None:
        """The inner adapter's."""
        return self._adapter.fingerprint()

    def details(self) -> dict[str, Any]:
        """The inner adapter's."""
        return self._adapter.details()

    def exchange(self, requests: bytes, ended: bool) -> bytes:
        """Takes requests, and word that no more will come for now; returns a report."""
        given = msgspec.msgpack.decode(requests, type=list[Request])
        with self._changed:
            self._take(given, ended)
            self._changed.wait_for(self._has_news, PATIENCE)
            return msgspec.msgpack.encode(self._report())

    def close(self) -> None:
        """Ends the thread and frees the model."""
        with self._changed:
            self._queue.clear()
            self._ended = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=5)
        self._adapter.close()

    def _take(self, given: list[Request], ended: bool) -> None:
        self._queue.extend(given)
        self._ended = ended
        if given and self._thread is None and not self._error:
            self._thread = threading.Thread(target=self._run, name="replica", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _has_news(self) -> bool:
        return bool(self._responses) or self._thread is None or self._wanted() > 0

    def _wanted(self) -> int:
        if self._ended or self._error:
            return 0
        ahead = min(MOST_AHEAD, max(LEAST_AHEAD, len(self._working) // 2))
        return max(0, ahead - len(self._queue))

    def _report(self) -> Report:
        responses, self._responses = tuple(self._responses), []
        oldest = next(iter(self._working), "")
        return Report(
            responses=responses,
            wanted=self._wanted(),
            working=len(self._working),
            oldest=oldest,
            oldest_seconds=time.monotonic() - self._working[oldest] if oldest else 0.0,
            idle=self._thread is None,
            error=self._error,
            usage=self._usage,
        )

    def _run(self) -> None:
        """Rounds of the engine, until nothing is left for it: requests may come while it ends one."""
        try:
            while self._round():
                pass
        except EgoCrossError as error:
            self._break(str(error), usage=error.exit_code == 2)
        except (Exception, SystemExit) as error:
            self._break(f"{type(error).__name__}: {error}\n{traceback.format_exc()}", usage=False)
        with self._changed:
            self._thread = None
            self._queue.clear()
            self._working.clear()
            self._changed.notify_all()

    def _round(self) -> bool:
        """One call of `generate`; whether there is reason for another: it drew all that was there, and more came."""
        drawn_up = False

        def requests() -> Iterator[Request]:
            nonlocal drawn_up
            yield from self._requests()
            drawn_up = True

        for response in self._adapter.generate(requests()):
            with self._changed:
                self._working.pop(response.key, None)
                self._responses.append(response)
                self._changed.notify_all()
        with self._changed:
            return drawn_up and bool(self._queue)

    def _break(self, error: str, *, usage: bool) -> None:
        with self._changed:
            self._error, self._usage = error, usage

    def _requests(self) -> Iterator[Request]:
        """What the engine draws: it waits here while the driver may send more."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._ended)
                if not self._queue:
                    return
                request = self._queue.popleft()
                self._working[request.key] = time.monotonic()
                self._changed.notify_all()
            yield request
