"""Requests in, responses out: asyncio work that a plain generator feeds, bounded in number and bytes, cleanly ended."""

from __future__ import annotations

import asyncio
import queue
import signal
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from types import FrameType
from typing import Any, Protocol, TypeVar

from egocross_eval.schema import Request, Response

T = TypeVar("T")

Answer = Callable[[Request], Coroutine[Any, Any, Response]]
"""Makes the response to a request, within a loop."""

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
def _own_loop() -> Iterator[Loop]:
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
    with _own_loop() as loop:
        return loop.finish(work)


def opened_stream(
    requests: Iterator[Request], opened: Callable[[], AbstractAsyncContextManager[Answer]], *, bound: int
) -> Iterator[Response]:
    """As `stream`, in a loop of its own. `opened` makes what answers: entered before the first request, left after the
    last."""
    with _own_loop() as loop:
        stack = AsyncExitStack()
        try:
            answer = loop.finish(lambda: stack.enter_async_context(opened()))
            yield from stream(requests, answer, loop=loop, bound=bound)
        finally:
            loop.finish(stack.aclose)


def stream(requests: Iterator[Request], answer: Answer, *, loop: Loop, bound: int) -> Generator[Response, None, None]:
    """Answers requests within `loop`, at most `bound` at once, and yields each response as soon as it's there.

    Requests are drawn in the calling thread, one whenever there is room. However the generator ends (all done, closed
    by its user, Ctrl-C, an error of the draw or of the answering), what is under way is cancelled before it's gone.
    """
    ended = loop.mailbox()
    tasks: set[asyncio.Task[Response]] = set()
    under_way = 0
    more = True

    def begin(request: Request) -> None:
        task = asyncio.get_running_loop().create_task(answer(request))
        tasks.add(task)
        task.add_done_callback(end)

    def end(task: asyncio.Task[Response]) -> None:
        tasks.discard(task)
        ended.put(task)

    async def cancelled() -> None:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=END_SECONDS)

    try:
        while more or under_way:
            if more and under_way < bound and ended.empty():
                request = next(requests, None)
                if request is None:
                    more = False
                    continue
                # The task is made within the loop: an interrupt here leaves nothing half begun.
                loop.begin(begin, request)
                under_way += 1
            else:
                task = ended.get()
                under_way -= 1
                yield task.result()
    finally:
        if under_way:
            loop.finish(cancelled)
        while not ended.empty():  # what else went wrong is looked at, or asyncio would complain of it
            task = ended.get()
            if not task.cancelled():
                task.exception()


class ByteBudget:
    """Bounds the bytes that requests hold at once. First come, first served; one larger than all of it goes alone."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._held = 0.0
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()

    async def take(self, size: float) -> Hold:
        """Waits until `size` bytes fit, or until nothing else is held."""
        if not self._waiting and self._fits(size):
            self._held += size
            return Hold(self, size)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            # Its turn may have come just before; else it has left the row for those behind it.
            self.give_back(size if turn.done() and not turn.cancelled() else 0)
            raise
        return Hold(self, size)

    def give_back(self, size: float) -> None:
        """Frees `size` bytes for those that wait."""
        self._held -= size
        while self._waiting and (self._waiting[0][1].cancelled() or self._fits(self._waiting[0][0])):
            size, turn = self._waiting.popleft()
            if not turn.cancelled():
                self._held += size
                turn.set_result(None)

    def _fits(self, size: float) -> bool:
        return self._held <= 0 or self._held + size <= self._limit


class Hold:
    """A share of a `ByteBudget`, given back once."""

    def __init__(self, budget: ByteBudget, size: float) -> None:
        self._budget = budget
        self._size = size

    def release(self) -> None:
        """Gives the share back; further calls do nothing."""
        size, self._size = self._size, 0
        if size:
            self._budget.give_back(size)
