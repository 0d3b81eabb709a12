"""Keeps the model busy: draws requests ahead, decodes frames in threads, makes batches while another is answered."""

from __future__ import annotations

import itertools
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

import msgspec

from egocross_eval.model_adapters.hf.batching import cut_batches, window_sizes
from egocross_eval.model_adapters.hf.engine import BatchError
from egocross_eval.model_adapters.hf.prompt_groups import by_opening, group_items
from egocross_eval.schema import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from egocross_eval.model_adapters.checkpoints.preparation import Item, Loaded, Preparer
    from egocross_eval.model_adapters.hf.engine import Engine, Inputs
    from egocross_eval.model_adapters.hf.prompt_groups import Group
    from egocross_eval.schema import Request

DEPTH = 2
"""Batches under way beside those that are being made: one being answered, one whose frames are being decoded."""

FIRST_WINDOW = 32
"""Requests drawn before the first batches are cut."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of a pipeline."""

    window: int
    threads: int
    batch_size: int | None
    collators: int
    """Threads that make the model's inputs of decoded frames, a batch each."""
    start_thread: Callable[[], None]
    """Called first in each thread that prepares requests."""


class Pipeline:
    """One pass over requests. `engine` is a future, so that requests are drawn and planned while the model loads."""

    def __init__(self, preparer: Preparer, engine: Future[Engine], limits: Limits, device: ThreadPoolExecutor) -> None:
        self._preparer = preparer
        self._engine = engine
        self._limits = limits
        self._device = device
        self._frames = ThreadPoolExecutor(
            limits.threads, thread_name_prefix="egocross-frames", initializer=limits.start_thread
        )
        self._collating = ThreadPoolExecutor(
            limits.collators, thread_name_prefix="egocross-batches", initializer=limits.start_thread
        )
        self._depth = DEPTH + limits.collators
        self._ahead: deque[Future[list[Response]]] = deque()

    def run(self, requests: Iterator[Request]) -> Iterator[Response]:
        """One response for each request, batch by batch."""
        try:
            yield from self._run(requests)
        except BaseException:
            # Stopped from outside or by an error: what is under way ends early, what waits is dropped.
            self._stop()
            raise
        finally:
            for executor in (self._frames, self._collating):
                executor.shutdown(wait=True, cancel_futures=True)

    def _stop(self) -> None:
        for pending in self._ahead:
            pending.cancel()
        if not self._engine.done() or self._engine.exception() is not None:
            return
        engine = self._engine.result()
        engine.stop()
        wait(self._ahead)
        engine.resume()

    def _run(self, requests: Iterator[Request]) -> Iterator[Response]:
        planned: list[Future[Item | Response]] = []
        batches: deque[list[Group]] = deque()
        windows = window_sizes(FIRST_WINDOW, self._limits.window)
        window = next(windows)
        more = True
        while True:
            while batches and len(self._ahead) < self._depth:
                batches = self._cut_again(batches)
                self._submit(batches.popleft())
            if self._ahead and self._ahead[0].done():
                yield from self._ahead.popleft().result()
            elif more and len(planned) < window:
                drawn = list(itertools.islice(requests, 1))
                more = bool(drawn)
                planned.extend(self._frames.submit(self._preparer.plan, request) for request in drawn)
            elif planned and len(batches) < self._depth:
                items: list[Item] = []
                for future in planned:
                    result = future.result()
                    if isinstance(result, Response):
                        yield result
                    else:
                        items.append(result)
                planned, window = [], next(windows)
                batches.extend(self._cut(items))
            elif self._ahead:
                wait([self._ahead[0]], return_when=FIRST_COMPLETED)
            else:
                return

    def _cut(self, items: list[Item]) -> deque[list[Group]]:
        if not items:
            return deque()
        engine = self._engine.result()  # how large a batch may be is known once the model is loaded
        most = self._limits.batch_size
        groups = group_items(items, max_items=most, holds=engine.room.holds)
        return deque(
            batch
            for alike in by_opening(groups, self._preparer.placeholder)
            for batch in cut_batches(alike, max_items=most, holds=engine.room.holds, apart=engine.apart)
        )

    def _cut_again(self, batches: deque[list[Group]]) -> deque[list[Group]]:
        """The batches as they are, or cut anew where the next one proved too large since."""
        room = self._engine.result().room
        if len(batches[0]) == 1 or room.holds(batches[0]):
            return batches
        return self._cut([item for batch in batches for group in batch for item in group.items])

    def _submit(self, batch: list[Group]) -> None:
        frames = [self._frames.submit(self._load, group) for group in batch]
        collated = self._collating.submit(self._collate, frames)
        self._ahead.append(self._device.submit(self._answer, collated))

    def _load(self, group: Group) -> Loaded | list[Response]:
        """A group with its frames in memory, or its failures where one can't be decoded."""
        first, *others = group.items
        loaded = self._preparer.load(first)
        if isinstance(loaded, Response):
            return [msgspec.structs.replace(loaded, key=item.request.key) for item in group.items]
        return msgspec.structs.replace(loaded, others=tuple(others), shared=group.shared, opening=group.opening)

    def _collate(self, frames: list[Future[Loaded | list[Response]]]) -> Collated:
        """Waits for a batch's frames and makes the model's inputs of them."""
        loaded: list[Loaded] = []
        failures: list[Response] = []
        for future in frames:
            result = future.result()
            if isinstance(result, list):
                failures.extend(result)
            else:
                loaded.append(result)
        if not loaded:
            return Collated(failures=failures)
        try:
            inputs, too_long = self._engine.result().inputs(loaded)
        except BatchError as error:
            return Collated(failures=failures, refused=loaded, kind=error.kind, message=str(error))
        return Collated(failures=failures + too_long, inputs=inputs)

    def _answer(self, collated: Future[Collated]) -> list[Response]:
        batch = collated.result()
        engine = self._engine.result()
        if batch.refused:
            return batch.failures + engine.split(batch.refused, batch.kind, batch.message)
        if batch.inputs is None:
            return batch.failures
        return batch.failures + engine.answer(batch.inputs)


class Collated(msgspec.Struct, frozen=True, kw_only=True):
    """A batch on its way from the collating thread to the model's."""

    failures: list[Response]
    inputs: Inputs | None = None
    refused: list[Loaded] = []
    """Requests of which no inputs could be made together, with the kind of that failure and its message."""
    kind: str = ""
    message: str = ""
