"""Several planned runs at once, each in a process of its own: a run is written by one process, whatever else goes on.

Models that are put on a Ray cluster (`ray:...,address=...`) wait there for room, and so are placed as GPUs free up.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from multiprocessing.connection import Connection

from egocross_eval.api import Run
from egocross_eval.contracts.event import Event
from egocross_eval.errors import RunError, UsageError
from egocross_eval.hanging import end_process
from egocross_eval.runs.store import RunFolder
from egocross_eval.sweeps.planned import Made, PlannedRun, Plans, made

_Answer = tuple[str, int]
"""Why a run broke, empty where it didn't, and the exit code of that."""


def carry_out_side_by_side(
    planned: Sequence[PlannedRun],
    at_once: int,
    *,
    begin: Callable[[PlannedRun], object] = lambda one: None,
    after: Callable[[Made], None] = lambda made: None,
) -> list[Made]:
    """As `planned.carry_out`, so many at once. `begin` is called when a run's turn comes."""
    found = []
    with ThreadPoolExecutor(at_once, thread_name_prefix="sweep") as pool:
        try:
            for one in _as_they_end(pool, planned, at_once, begin):
                found.append(one)
                after(one)
        except BaseException:
            # The processes were interrupted with this one, or end with it: what has not begun must not begin.
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    order = {one.name: place for place, one in enumerate(planned)}
    return sorted(found, key=lambda one: order[one.planned.name])


def _as_they_end(
    pool: ThreadPoolExecutor, planned: Sequence[PlannedRun], at_once: int, begin: Callable[[PlannedRun], object]
) -> Iterator[Made]:
    waiting, under_way = list(planned), set[Future[Made]]()
    while waiting or under_way:
        while waiting and len(under_way) < at_once:
            one = waiting.pop(0)
            begin(one)
            under_way.add(pool.submit(_made_apart, one))
        done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
        yield from (future.result() for future in done)


def _made_apart(one: PlannedRun) -> Made:
    """Makes a run in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(one, theirs), name=one.name)
    process.start()
    theirs.close()
    try:
        text, code = ours.recv()
    except EOFError:
        process.join()
        text, code = f"its process ended with {_status(process.exitcode)}", 1
    process.join()
    error = (UsageError if code == 2 else RunError)(text) if text else None
    folder = RunFolder(one.folder)
    return Made(planned=one, run=Run(folder) if folder.exists() and folder.has_results() else None, error=error)


def _child(one: PlannedRun, answer: Connection) -> None:
    """What the process does."""

    def nothing(event: Event) -> None:
        """How a run stands is told from its folder."""

    came = made(one, lambda _: nothing, Plans())
    answer.send((str(came.error), came.error.exit_code) if came.error is not None else ("", 0))
    end_process(0)


def _status(code: int | None) -> str:
    return signal.Signals(-code).name if code is not None and code < 0 else f"status {code}"
