"""Requests in, responses out: asyncio work that a plain generator feeds, bounded in number, cleanly ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

from egocross_eval.model_adapters.streams.loops import END_SECONDS, Loop, own_loop
from egocross_eval.schema import Request, Response

Answer = Callable[[Request], Coroutine[Any, Any, Response]]
"""Makes the response to a request, within a loop."""


def opened_stream(
    requests: Iterator[Request], opened: Callable[[], AbstractAsyncContextManager[Answer]], *, bound: int
) -> Iterator[Response]:
    """As `stream`, in a loop of its own. `opened` makes what answers: entered before the first request, left after the
    last."""
    with own_loop() as loop:
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
