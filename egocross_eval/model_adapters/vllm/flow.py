"""Requests in, responses out: an event loop in a thread of its own, fed by a plain generator and bounded."""

from __future__ import annotations

import asyncio
import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from egocross_eval.schema import Request, Response

T = TypeVar("T")


class LoopThread:
    """An event loop that runs in its own thread until it's closed."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begins `work`; cancelling the future cancels it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Callable[[], T]) -> T:
        """Calls `work` within the loop's thread and waits for its result. An interrupt reaches the caller at once."""

        async def call() -> T:
            return work()

        return self.submit(call()).result()

    def close(self) -> None:
        """Cancels what is left and ends the thread."""

        async def end() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        try:
            self.submit(end()).result(timeout=30)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=30)
            if not self._thread.is_alive():
                self._loop.close()


def stream(
    requests: Iterator[Request],
    answer: Callable[[Request], Coroutine[Any, Any, Response]],
    *,
    loop: LoopThread,
    bound: int,
) -> Iterator[Response]:
    """Answers requests within `loop`, at most `bound` at once, and yields each response as soon as it's there.

    Requests are drawn in the calling thread, one whenever there is room. However the generator ends, what is under way
    is cancelled before it's gone.
    """
    finished: queue.SimpleQueue[Future[Response]] = queue.SimpleQueue()
    tasks: set[asyncio.Task[Any] | None] = set()
    futures: set[Future[Response]] = set()
    more = True

    async def tracked(request: Request) -> Response:
        task = asyncio.current_task()
        tasks.add(task)
        try:
            return await answer(request)
        finally:
            tasks.discard(task)

    async def ended() -> None:
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)

    try:
        while more or futures:
            if more and len(futures) < bound and finished.empty():
                request = next(requests, None)
                if request is None:
                    more = False
                    continue
                future = loop.submit(tracked(request))
                futures.add(future)
                future.add_done_callback(finished.put)
            else:
                future = finished.get()
                futures.discard(future)
                yield future.result()
    finally:
        for future in futures:
            future.cancel()
        if futures:
            loop.submit(ended()).result(timeout=60)


class Budget:
    """Bounds what requests hold at once. First come, first served; one that is larger than all of it goes alone."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._held = 0.0
        self._waiting: list[tuple[float, asyncio.Future[None]]] = []

    async def take(self, size: float) -> None:
        """Waits until `size` fits, or until nothing else is held. Every `take` needs its `give_back`."""
        if not self._waiting and self._fits(size):
            self._held += size
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back(size)
            elif (size, turn) in self._waiting:
                self._waiting.remove((size, turn))
                self._wake()
            raise

    def give_back(self, size: float) -> None:
        """Ends the hold of a `take`."""
        self._held -= size
        self._wake()

    def _fits(self, size: float) -> bool:
        return self._held <= 0 or self._held + size <= self._limit

    def _wake(self) -> None:
        while self._waiting and self._fits(self._waiting[0][0]):
            size, turn = self._waiting.pop(0)
            if not turn.cancelled():
                self._held += size
                turn.set_result(None)
