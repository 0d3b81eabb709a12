"""Wall time and prompt tokens computed for the same questions, asked in several orders; see README.md."""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).parents[1]))

import asked
from caches import forget
from vllm_overhead.bare_loop import bare_loop

from egocross_eval.contracts.registry import registry
from egocross_eval.model_adapters.spec import build_adapter, parse_spec
from egocross_eval.runs.options import options_from
from egocross_eval.runs.order import neighbours
from egocross_eval.runs.plan import RunPlan, plan_run
from egocross_eval.schema import Question

OF_THE_FILE = "of the file"

Order = Callable[[list[Question]], list[Question]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", required=True, help="e.g. vllm:./checkpoint,enforce_eager=true")
    parser.add_argument("--tasks", default="all")
    parser.add_argument("--max-pixels", type=int, default=65536)
    parser.add_argument("--bound", type=int, default=64, help="questions under way at once")
    parser.add_argument("--repetitions", type=int, default=2)
    arguments = parser.parse_args()
    options = options_from(
        data=arguments.data, max_pixels=arguments.max_pixels, tasks=arguments.tasks, answer="choose", cache=False
    )
    plan = plan_run(options, registry())
    questions = list(plan.questions)
    loop = Loop(arguments.model, plan, arguments.bound)
    orders = orders_of(plan, loop)
    loop.run(questions)  # warms what is compiled or imported on first use
    seconds: dict[str, list[float]] = {name: [] for name in orders}
    reused: dict[str, int] = {}
    for repetition in range(arguments.repetitions):
        for name, order in list(orders.items())[:: 1 if repetition % 2 == 0 else -1]:
            spent, reused[name] = loop.run(order(questions))
            seconds[name].append(spent)
    loop.adapter.close()
    show(sum(map(loop.size, questions)), len(questions), seconds, reused)


class Loop:
    """The scaled loop over questions in any order, on one engine."""

    def __init__(self, model: str, plan: RunPlan, bound: int) -> None:
        from egocross_eval.model_adapters.vllm.engine.prompts import sampling

        self._bound = bound
        requests = list(asked.requests(plan, plan.questions))
        self.adapter: Any = build_adapter(parse_spec(model), registry())
        self._engine = self.adapter._started(requests[0])
        self._preparer = self.adapter._preparer(self._engine)
        self._planned = {request.key: self._preparer.plan(request) for request in requests}
        self._sampling = sampling(self._planned[requests[0].key])

    def size(self, question: Question) -> int:
        """Tokens of its prompt."""
        return int(self._planned[question.key].tokens)

    def run(self, questions: list[Question]) -> tuple[float, int]:
        """(seconds, tokens that were found in the prefix cache), every cache empty before."""
        from egocross_eval.model_adapters.vllm.engine.prompts import engine_prompt

        forget(self.adapter)
        started = time.perf_counter()
        work = bare_loop(
            self._engine._llm,
            [self._planned[question.key] for question in questions],
            lambda item: engine_prompt(self._preparer.load(item), self._preparer),
            self._sampling,
            threads=min(16, os.cpu_count() or 1),
            bound=self._bound,
        )
        cached = self._engine.loop.submit(work).result()
        return time.perf_counter() - started, sum(cached)


def orders_of(plan: RunPlan, loop: Loop) -> dict[str, Order]:
    """The orders that are compared, by name."""
    return {
        OF_THE_FILE: list,
        "same frames together (ours)": lambda questions: neighbours(questions, plan.root),
        "longest first": lambda questions: sorted(questions, key=loop.size, reverse=True),
        "shortest first": lambda questions: sorted(questions, key=loop.size),
        "shuffled": lambda questions: random.Random(0).sample(questions, len(questions)),
    }


def show(total: int, count: int, seconds: dict[str, list[float]], reused: dict[str, int]) -> None:
    """Prints the orders' table; `total`: prompt tokens of all questions."""
    least = min(seconds[OF_THE_FILE])
    rows = [
        [name, f"{total - reused[name]:,}", f"{1 - reused[name] / total:.2f}", f"{min(spent):.1f}", min(spent) / least]
        for name, spent in seconds.items()
    ]
    print(f"{count} questions, {total:,} prompt tokens")
    columns = ["order", "tokens computed", "of all", "seconds", "over the file's"]
    print(tabulate(rows, columns, "github", floatfmt=("", "", "", "", ".2f")))


if __name__ == "__main__":
    main()
