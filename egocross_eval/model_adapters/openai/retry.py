"""When a failed attempt is repeated, how long to wait first, and when a server counts as dead."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from egocross_eval.model_adapters.openai.faults import AttemptFault
from egocross_eval.model_adapters.openai.options import OpenAIOptions
from egocross_eval.schema import Response

if TYPE_CHECKING:
    from tenacity import RetryCallState

LONGEST_BACKOFF = 60.0
"""Seconds."""

NEVER_REACHED_SECONDS = 5.0
"""Patience with an address where nothing has ever answered: most likely it's wrong or the server isn't up."""

_DISTINCT = 3
"""Requests that must have met a fault before a server that takes connections counts as dead: one may break it alone."""


class ServerWatch:
    """What all attempts together tell of the server: pauses that it asked for, and whether it's dead.

    It counts as dead after `patience` seconds in which every attempt met a fault of the server, in at least three
    requests (or none could connect). An address that never took a connection is given `NEVER_REACHED_SECONDS`.
    """

    def __init__(self, *, patience: float, max_wait: float) -> None:
        self._patience = patience
        self._max_wait = max_wait
        self._reached = False
        self._first_fault: float | None = None
        self._all_unreachable = True
        self._faulty_keys: set[str] = set()
        self._paused_until = 0.0
        self._last_message = ""
        self._died = asyncio.Event()

    @property
    def dead(self) -> bool:
        """True once the server is given up."""
        return self._died.is_set()

    def epitaph(self) -> AttemptFault:
        """The fault of a request that isn't sent any more."""
        return AttemptFault(
            "server_dead",
            f"not asked, as the server was given up after nothing but faults; the last one: {self._last_message}",
            retryable=True,
        )

    def good(self) -> None:
        """A sane reply arrived."""
        self._reached = True
        if self._first_fault is not None:
            self._first_fault = None
            self._all_unreachable = True
            self._faulty_keys.clear()

    def fault(self, key: str, fault: AttemptFault) -> None:
        """An attempt of the request `key` failed."""
        now = time.monotonic()
        if fault.retry_after is not None and fault.retry_after <= self._max_wait:
            self._paused_until = max(self._paused_until, now + fault.retry_after)
        if fault.contact == "alive":
            self.good()
            return
        self._last_message = fault.message
        if fault.contact == "faulty":
            self._reached = True
            self._all_unreachable = False
        self._faulty_keys.add(key)
        if self._first_fault is None:
            self._first_fault = now
        patience = self._patience if self._reached else min(NEVER_REACHED_SECONDS, self._patience)
        several = self._all_unreachable or len(self._faulty_keys) >= _DISTINCT
        if several and now - self._first_fault >= patience:
            self._died.set()

    async def pause(self) -> None:
        """Waits while the server wants no requests. All wait: a rate limit is meant for the key, not for a request."""
        while not self.dead and (left := self._paused_until - time.monotonic()) > 0:
            # A little apart, so that not everything is sent in the same instant.
            await self.sleep(left + random.uniform(0, min(0.5, 0.1 * left)))  # noqa: S311

    async def sleep(self, seconds: float) -> None:
        """Sleeps; wakes early when the server is given up."""
        try:
            await asyncio.wait_for(self._died.wait(), seconds)
        except TimeoutError:
            return


async def retried(
    first: AttemptFault, attempt: Callable[[], Awaitable[Response]], options: OpenAIOptions, watch: ServerWatch
) -> Response:
    """Repeats `attempt` after its `first` fault, with growing pauses, until an answer or the last allowed fault.

    Raises the last `AttemptFault` that an attempt met.
    """
    # Imported at the first fault: most runs have none.
    import tenacity

    met: Counter[str] = Counter()
    growing = tenacity.wait_exponential(multiplier=options.backoff, max=LONGEST_BACKOFF)
    backoff = growing + tenacity.wait_random(0, options.backoff)

    def fault_of(state: RetryCallState) -> AttemptFault:
        fault = state.outcome.exception() if state.outcome else None
        assert isinstance(fault, AttemptFault)
        return fault

    def seconds(state: RetryCallState) -> float:
        return max(backoff(state), fault_of(state).retry_after or 0.0)

    def enough(state: RetryCallState) -> bool:
        fault = fault_of(state)
        met[fault.kind] += 1
        again = fault.most_retries is not None and met[fault.kind] > fault.most_retries
        too_long = fault.retry_after is not None and fault.retry_after > options.max_wait
        return watch.dead or again or too_long or state.attempt_number > options.max_retries

    pending: AttemptFault | None = first

    async def next_attempt() -> Response:
        nonlocal pending
        if pending is not None:  # the attempt that failed before this began is the first one here
            fault, pending = pending, None
            raise fault
        return await attempt()

    policy = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(lambda error: isinstance(error, AttemptFault) and error.retryable),
        wait=seconds,
        stop=enough,
        sleep=watch.sleep,
        reraise=True,
    )
    return await policy(next_attempt)
