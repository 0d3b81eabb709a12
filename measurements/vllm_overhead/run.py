"""Wall time of a whole run with `vllm:` over that of the barest loop on the same engine; see README.md."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

import asked
from caches import forget
from vllm_overhead.bare_loop import BarePrompt, bare_loop, opened

from egocross_eval.api import evaluate
from egocross_eval.contracts.registry import registry
from egocross_eval.model_adapters.checkpoints.chat import render
from egocross_eval.model_adapters.spec import build_adapter, parse_spec
from egocross_eval.runs.options import RunOptions, options_from
from egocross_eval.runs.plan import plan_run

BARE, SCALED, OURS = "bare", "scaled", "ours"

Round = dict[str, float]
"""Seconds of each side."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", required=True, help="e.g. vllm:./checkpoint,enforce_eager=true")
    parser.add_argument("--max-pixels", type=int, default=4096)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--bound", type=int, default=64, help="questions under way at once, on both sides")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    options = options_from(
        data=arguments.data, max_pixels=arguments.max_pixels, limit=arguments.limit, answer="choose", cache=False
    )
    sides = Sides(arguments.model, options, arguments.bound)
    sides.scaled()  # warms what is compiled or imported on first use
    rounds = [one_round(sides, number) for number in range(arguments.repetitions)]
    sides.close()
    show(sides, rounds)
    if arguments.json:
        arguments.json.write_bytes(msgspec.json.encode(rounds))


class Sides:
    """The three ways to ask the same questions, on one engine."""

    def __init__(self, model: str, options: RunOptions, bound: int) -> None:
        from egocross_eval.model_adapters.vllm.engine.prompts import sampling

        self._options = options
        self._bound = bound
        self.cached: list[int] = []  # tokens that the last loop's questions found in the prefix cache
        plan = plan_run(options, registry())
        self.requests = list(asked.requests(plan, plan.questions))
        self.adapter: Any = build_adapter(parse_spec(f"{model},concurrency={bound}"), registry())
        self._engine = self.adapter._started(self.requests[0])
        processor = self.adapter._processor
        self.prompts = [BarePrompt(render(processor, r.prompt), r.prompt.frame_paths()) for r in self.requests]
        self._sampling = sampling(self.adapter._preparer(self._engine).plan(self.requests[0]))

    def bare(self) -> float:
        """Seconds of the barest loop, whose engine hashes and scales the frames."""
        return self._timed_loop(self.prompts, opened)

    def scaled(self, most: int | None = None) -> float:
        """Seconds of the same loop with frames scaled before; `most`: over the first questions alone."""
        from egocross_eval.model_adapters.vllm.engine.prompts import engine_prompt

        preparer = self.adapter._preparer(self._engine)
        return self._timed_loop(
            self.requests[:most], lambda r: engine_prompt(preparer.load(preparer.plan(r)), preparer)
        )

    def ours(self) -> float:
        """Seconds of a whole run."""
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            run = evaluate(self.adapter, options=self._options, output=Path(folder) / "run")
            seconds = time.perf_counter() - started
            assert run.results.counts["errored"] == 0
        return seconds

    def _timed_loop(self, prompts: list[Any], ready: Callable[[Any], dict[str, Any]]) -> float:
        threads = min(16, os.cpu_count() or 1)
        started = time.perf_counter()
        work = bare_loop(self._engine._llm, prompts, ready, self._sampling, threads=threads, bound=self._bound)
        answered = self._engine.loop.submit(work).result()
        assert len(answered) == len(prompts)
        self.cached = answered
        return time.perf_counter() - started

    def close(self) -> None:
        self.adapter.close()


def one_round(sides: Sides, number: int) -> Round:
    """Each side once, in alternating order, every cache empty before."""
    order = (BARE, SCALED, OURS) if number % 2 == 0 else (OURS, SCALED, BARE)
    seconds = {}
    for side in order:
        forget(sides.adapter)
        seconds[side] = getattr(sides, side)()
    shown = ", ".join(f"{side} {seconds[side]:.1f} s" for side in (BARE, SCALED, OURS))
    print(f"round {number + 1}: {shown}", flush=True)
    return seconds


def show(sides: Sides, rounds: list[Round]) -> None:
    """Prints medians and the ratios of ours to the others."""
    frames = sum(len(prompt.paths) for prompt in sides.prompts)
    print(f"{len(sides.prompts)} questions, {frames} frames")
    figures = {f"{side}, seconds": [seconds[side] for seconds in rounds] for side in (BARE, SCALED, OURS)}
    figures |= {f"ours / {side}": [seconds[OURS] / seconds[side] for seconds in rounds] for side in (BARE, SCALED)}
    print("| | median | lowest | highest |\n|---|---:|---:|---:|")
    for name, values in figures.items():
        digits = 1 if "seconds" in name else 2
        print(f"| {name} |", " | ".join(f"{f(values):.{digits}f}" for f in (statistics.median, min, max)), "|")


if __name__ == "__main__":
    main()
