"""Event loops that a plain generator feeds: one in a thread of its own, and one that is turned by hand."""

from __future__ import annotations

import asyncio
import queue
import signal
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol, TypeVar

from egocross_eval.schema import Response

T = TypeVar("T")

END_SECONDS = 60.0
"""What is under way has that long to end once it's cancelled."""


class Mailbox(Protocol):
    """Takes tasks within a loop and hands them out to the thread that feeds the loop."""

    def put(self, task: asyncio.Task[Response]) -> None:
        """A task has ended."""

    def get(self) -> asyncio.Task[Response]:
        """Waits for the next one."""

    def empty(self) -> bool:
        """Whether none waits to be handed out."""


class Loop(Protocol):
    """An event loop that outlives single calls."""

    def begin(self, function: Callable[[T], object], argument: T) -> None:
        """Has the loop call a function, and doesn't wait for what it begins."""

    def finish(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of `work()`."""

    def mailbox(self) -> Mailbox:
        """A new one."""

    def close(self) -> None:
        """Cancels what is left and ends the loop and its threads."""


class LoopThread:
    """An event loop in a thread of its own: it goes on while its user does something else, as an engine needs it."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def begin(self, function: Callable[[T], object], argument: T) -> None:
        """Has the loop call a function."""
        self._loop.call_soon_threadsafe(function, argument)

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begins `work`; cancelling the future cancels it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def finish(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of `work()`. An interrupt reaches the caller at once."""
        return self.submit(work()).result()

    def run(self, work: Callable[[], T]) -> T:
        """Calls `work` within the loop's thread and waits for its result."""

        async def call() -> T:
            return work()

        return self.finish(call)

    def mailbox(self) -> Mailbox:
        """A queue."""
        return queue.SimpleQueue()

    def close(self) -> None:
        """Cancels what is left and ends the thread."""
        try:
            self.submit(_end(self._loop)).result(timeout=END_SECONDS)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=END_SECONDS)
            if not self._thread.is_alive():
                self._loop.close()


class TurnedLoop:
    """An event loop that its user turns by hand, in the calling thread: a client is a third cheaper without threads.

    Ctrl-C is held back while it runs and raised right after, as no part of asyncio stands an interrupt in its midst.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._turning = False

    def begin(self, function: Callable[[T], object], argument: T) -> None:
        """Has the loop call a function, and turns it once, so that what it begins is on its way."""
        self._loop.call_soon(function, argument)
        with _interrupt_held(_nothing):
            self._loop.call_soon(self._loop.stop)
            self._loop.run_forever()

    def turn(self) -> None:
        """Runs until something calls `stop`."""
        with _interrupt_held(lambda: self._loop.call_soon_threadsafe(self.stop)):
            self._turning = True
            self._loop.run_forever()
            self._turning = False

    def stop(self) -> None:
        """Ends the present `turn`, if there is one. Called from within the loop."""
        if self._turning:
            self._loop.stop()

    def finish(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of `work()`; an interrupt cancels it."""
        tasks: list[asyncio.Task[T]] = []

        def cancel() -> None:
            for task in tasks:
                self._loop.call_soon_threadsafe(task.cancel)

        with _interrupt_held(cancel):
            tasks.append(self._loop.create_task(work()))
            return self._loop.run_until_complete(tasks[0])

    def mailbox(self) -> Mailbox:
        """One that turns the loop while it's empty."""
        return _TurningMailbox(self)

    def close(self) -> None:
        """Cancels what is left and ends the loop."""
        with _interrupt_held(_nothing):
            try:
                self._loop.run_until_complete(_end(self._loop))
            finally:
                self._loop.close()


class _TurningMailbox:
    def __init__(self, loop: TurnedLoop) -> None:
        self._loop = loop
        self._tasks: deque[asyncio.Task[Response]] = deque()

    def put(self, task: asyncio.Task[Response]) -> None:
        self._tasks.append(task)
        self._loop.stop()

    def get(self) -> asyncio.Task[Response]:
        while not self._tasks:
            self._loop.turn()
        return self._tasks.popleft()

    def empty(self) -> bool:
        return not self._tasks


async def _end(loop: asyncio.AbstractEventLoop) -> None:
    """Cancels all other tasks of the running loop and ends its threads."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()


def _nothing() -> None:
    """Wakes nobody."""


@contextmanager
def _interrupt_held(wake: Callable[[], object]) -> Iterator[None]:
    """Keeps SIGINT until the block has ended, calling `wake` when it comes; then it goes to whom it was meant for."""
    before = signal.getsignal(signal.SIGINT) if threading.current_thread() is threading.main_thread() else None
    if not callable(before):
        yield
        return
    caught: list[tuple[int, FrameType | None]] = []

    def hold(number: int, frame: FrameType | None) -> None:
        caught.append((number, frame))
        wake()

    signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if caught:
            before(*caught[0])


@contextmanager
def own_loop() -> Iterator[Loop]:
    """A loop for this thread, or beside it where it already runs one (a notebook), as loops don't nest."""
    try:
        asyncio.get_running_loop()
        loop: Loop = LoopThread("egocross-requests")
    except RuntimeError:
        loop = TurnedLoop()
    try:
        yield loop
    finally:
        loop.close()


def run_to_end(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of `work()` in a loop of its own."""
    with own_loop() as loop:
        return loop.finish(work)
