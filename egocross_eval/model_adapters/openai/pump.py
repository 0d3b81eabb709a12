"""Drives asyncio work from a plain generator: bounded, lazily fed, cleanly ended."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from functools import partial
from types import FrameType
from typing import Any, TypeVar

from egocross_eval.schema import Request, Response

T = TypeVar("T")
Answer = Callable[[Request], Coroutine[Any, Any, Response]]


class _Loop:
    """An event loop that is turned by hand.

    It runs in the calling thread, or in one of its own where that thread already runs a loop (a notebook), as loops
    don't nest. Ctrl-C is held back while it runs and raised right after, as no part of asyncio stands an interrupt in
    its midst.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "openai-requests") if _inside_a_loop() else None
        self._opened: asyncio.AbstractEventLoop | None = None
        self._turning = False

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        if self._opened is None:
            self._opened = asyncio.new_event_loop()
        return self._opened

    def stop(self) -> None:
        """Ends the present `turn`, if there is one. Called from within the loop."""
        if self._turning:
            self._loop.stop()

    def start(self, work: Callable[[], Coroutine[Any, Any, T]], on_end: Callable[[asyncio.Task[T]], None]) -> None:
        """Begins `work` with one round of the loop; `on_end` gets its task."""

        def begin() -> None:
            self._loop.create_task(work()).add_done_callback(on_end)
            self._loop.call_soon(self._loop.stop)
            self._loop.run_forever()

        with _interrupt_held(_nothing):
            self._here(begin)

    def turn(self) -> None:
        """Runs until something calls `stop`."""
        with _interrupt_held(lambda: self._loop.call_soon_threadsafe(self.stop)):
            self._turning = True
            self._here(self._loop.run_forever)
            self._turning = False

    def finish(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Runs until `work` is done; an interrupt cancels it."""
        tasks: list[asyncio.Task[T]] = []

        def cancel() -> None:
            for task in tasks:
                self._loop.call_soon_threadsafe(task.cancel)

        with _interrupt_held(cancel):
            tasks.append(self._loop.create_task(work()))
            return self._here(lambda: self._loop.run_until_complete(tasks[0]))

    def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Cancels what is under way, runs `last`, and ends the loop and its threads."""

        async def end() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await last()
            await self._loop.shutdown_asyncgens()
            await self._loop.shutdown_default_executor()

        with _interrupt_held(_nothing):
            try:
                self._here(lambda: self._loop.run_until_complete(end()))
            finally:
                self._loop.close()
                if self._thread is not None:
                    self._thread.shutdown()

    def _here(self, run: Callable[[], T]) -> T:
        return run() if self._thread is None else self._thread.submit(run).result()


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


def _inside_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _nothing_more() -> None:
    """The end of a loop that has nothing to close."""


def run_to_end(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of `work()`, whether or not the calling thread already runs a loop."""
    loop = _Loop()
    try:
        return loop.finish(work)
    finally:
        loop.close(_nothing_more)


def pump(
    requests: Iterator[Request], opened: Callable[[], AbstractAsyncContextManager[Answer]], *, concurrency: int
) -> Iterator[Response]:
    """Answers requests, at most `concurrency` at once, and yields each response as soon as it's there.

    A request is drawn only when its turn has come. `opened` makes what answers them (entered before the first, left
    after the last). However the generator ends (all done, closed by its user, Ctrl-C, an error of the draw or of the
    answering), what is under way is cancelled and the connections are closed before it's gone.
    """
    loop = _Loop()
    stack = AsyncExitStack()
    ended: deque[asyncio.Task[Response]] = deque()

    def on_end(task: asyncio.Task[Response]) -> None:
        ended.append(task)
        loop.stop()

    try:
        answer = loop.finish(lambda: stack.enter_async_context(opened()))
        under_way = 0
        more = True
        while more or under_way:
            if more and under_way < concurrency:
                request = next(requests, None)
                if request is None:
                    more = False
                    continue
                # It's on its way before the next one is drawn.
                loop.start(partial(answer, request), on_end)
                under_way += 1
            else:
                loop.turn()
            while ended:
                under_way -= 1
                yield ended.popleft().result()
    finally:
        loop.close(stack.aclose)
