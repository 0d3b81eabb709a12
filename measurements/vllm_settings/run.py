"""Pace of `vllm:` under several engine settings, and beside a bare loop on the same engine; see README.md."""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).parents[1]))

from caches import forget
from letters import differences
from vllm_overhead.run import Sides
from vllm_settings.card import Card
from work import Shape, operations, shape

from egocross_eval.runs.options import options_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egocross_eval.runs.options import RunOptions
    from egocross_eval.schema import Response

WARM = 12
"""Questions asked before the clock runs: kernels are compiled or chosen on first use."""

OURS = "ours"


class Pass(msgspec.Struct, kw_only=True):
    """One side's pass over all questions on one engine."""

    setting: str
    side: str
    start_seconds: float
    """Until the engine was up."""
    seconds: float
    """Of the whole pass."""
    answering_seconds: float | None = None
    """From the first answer to the last."""
    prompt_tokens: int
    computed_tokens: int
    """Those that the engine didn't find in its prefix cache."""
    operations: float
    """Floating-point operations of the computed tokens."""
    busy: float | None
    """Percent of the time in which the card computed."""
    peak_mib: float | None
    scores: dict[str, dict[str, float]] = {}
    """Of each question, in ours."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", required=True, help="e.g. vllm:./checkpoint")
    parser.add_argument("--setting", action="append", help="options of vllm:, maybe none; may be repeated")
    parser.add_argument("--side", action="append", choices=("ours", "bare", "scaled"), help="default: ours and bare")
    parser.add_argument("--first-only", action="store_true", help="sides other than ours with the first setting only")
    parser.add_argument("--max-pixels", type=int, default=360_000)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--bound", type=int, default=256, help="questions under way at once, on all sides")
    parser.add_argument("--peak", type=float, default=989.0, help="the card's TFLOP/s in the weights' precision")
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no further pass after so many")
    parser.add_argument("--json", type=Path, required=True, help="file for all figures; rewritten after each pass")
    arguments = parser.parse_args()
    options = options_from(
        data=arguments.data, max_pixels=arguments.max_pixels, limit=arguments.limit, answer="choose", cache=False
    )
    passes: list[Pass] = []
    for done in measured(arguments, options):
        passes.append(done)
        arguments.json.write_bytes(msgspec.json.encode(passes))
        show(passes, arguments.peak)


def measured(arguments: argparse.Namespace, options: RunOptions) -> Iterator[Pass]:
    """Every side with every setting. A setting whose engine fails is said, and the next one's turn comes."""
    started = time.perf_counter()
    sides = arguments.side or ["ours", "bare"]
    for number, setting in enumerate(arguments.setting or [""]):
        if time.perf_counter() - started > arguments.seconds:
            print(f"no time for {setting!r}", flush=True)
            continue
        try:
            with closing(Measured(arguments.model, setting, options, arguments.bound)) as engine:
                for side in sides if number == 0 or not arguments.first_only else [OURS]:
                    if time.perf_counter() - started < arguments.seconds:
                        yield engine.measured(side)
        except Exception:  # an engine fails in many ways, and the other settings still count
            traceback.print_exc()


class Measured:
    """One running engine and what is asked of it."""

    def __init__(self, model: str, setting: str, options: RunOptions, bound: int) -> None:
        started = time.perf_counter()
        self._setting = setting or "(none)"
        self._sides = Sides(f"{model},{setting}" if setting else model, options, bound)
        self._start_seconds = time.perf_counter() - started
        self._sides.scaled(most=WARM)
        planned = [self._plan(request) for request in self._sides.requests]
        self._tokens = {item.request.key: item.tokens for item in planned}
        self._shape: Shape = shape(model.partition(":")[2].partition(",")[0])
        self._frames = {item.request.key: [self._patches(*frame.size) for frame in item.images] for item in planned}

    def _plan(self, request: Any) -> Any:
        return self._sides.adapter._preparer(self._sides._engine).plan(request)

    def _patches(self, width: int, height: int) -> int:
        return width * height // self._shape.patch**2

    def measured(self, side: str) -> Pass:
        """A pass with all caches empty before."""
        forget(self._sides.adapter)
        answers = Answers(self._sides.adapter)
        with Card() as card:
            seconds = getattr(self._sides, side)()
        if side == OURS:
            cached = [answer.reused_tokens or 0 for answer in answers.given]
            keys = [answer.key for answer in answers.given]
        else:
            cached, keys = self._sides.cached, [request.key for request in self._sides.requests]
        tokens = [self._tokens[key] for key in keys]
        work = (operations(self._shape, n, self._frames[k], r) for n, r, k in zip(tokens, cached, keys, strict=True))
        return Pass(
            setting=self._setting,
            side=side,
            start_seconds=self._start_seconds,
            seconds=seconds,
            answering_seconds=answers.seconds if side == OURS else None,
            prompt_tokens=sum(tokens),
            computed_tokens=sum(tokens) - sum(cached),
            operations=sum(work),
            busy=card.busy,
            peak_mib=card.peak_mib,
            scores={answer.key: answer.scores for answer in answers.given if answer.scores},
        )

    def close(self) -> None:
        self._sides.close()


class Answers:
    """What an adapter answers from now on, and when."""

    def __init__(self, adapter: Any) -> None:
        self.given: list[Response] = []
        self._times: list[float] = []
        self._generate = type(adapter).generate.__get__(adapter)
        adapter.generate = self._noted

    def _noted(self, requests: Any) -> Iterator[Response]:
        for answer in self._generate(requests):
            self._times.append(time.perf_counter())
            self.given.append(answer)
            yield answer

    @property
    def seconds(self) -> float:
        """From the first to the last."""
        return self._times[-1] - self._times[0]


def show(passes: list[Pass], peak: float) -> None:
    """Prints a row for each pass so far; `peak`: TFLOP/s of the card."""
    rows = [row(one, passes[0], peak) for one in passes]
    columns = ["setting", "side", "start s", "seconds", "first to last answer s", "prompt tokens", "computed"]
    columns += ["computed tokens/s", "PFLOP", "of peak %", "GPU busy %", "peak MiB", "differ", "largest difference"]
    print(
        tabulate(rows, columns, "github", floatfmt=".1f", intfmt=",", missingval="", disable_numparse=[13]), flush=True
    )


def row(one: Pass, first: Pass, peak: float) -> list[Any]:
    """A pass as a row of the table."""
    pace = one.computed_tokens / one.seconds
    share = 100 * one.operations / one.seconds / (peak * 1e12)
    counts = [one.prompt_tokens, one.computed_tokens, round(pace), one.operations / 1e15, share]
    told = [one.setting, one.side, one.start_seconds, one.seconds, one.answering_seconds]
    return [*told, *counts, one.busy, one.peak_mib, *differences(first.scores, one.scores)]


if __name__ == "__main__":
    # The engine's processes inherit no more threads than they use.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
