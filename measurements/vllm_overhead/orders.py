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

from caches import forget
from vllm_overhead.bare_loop import bare_loop

from egocross_eval.contracts.registry import registry
from egocross_eval.model_adapters.spec import build_adapter, parse_spec
from egocross_eval.runs.options import options_from
from egocross_eval.runs.order import neighbours
from egocross_eval.runs.plan import plan_run
from egocross_eval.runs.requests import build_request
from egocross_eval.schema import Question


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
    settings = plan.settings.generation
    asked = {
        question.key: build_request(
            question,
            plan.approach(question).renderer.render(question, plan.root),
            settings,
            split="testbed",
            read_frames=True,
        )
        for question in plan.questions
    }
    adapter: Any = build_adapter(parse_spec(arguments.model), registry())
    first = next(iter(asked.values()))
    engine = adapter._started(first)
    preparer = adapter._preparer(engine)

    from egocross_eval.model_adapters.vllm.engine.prompts import engine_prompt, sampling

    planned = {name: preparer.plan(request) for name, request in asked.items()}
    asked_as = sampling(preparer.plan(first))
    threads = min(16, os.cpu_count() or 1)

    def size(question: Question) -> int:
        return int(planned[question.key].tokens)

    def shuffled(questions: list[Question]) -> list[Question]:
        return random.Random(0).sample(questions, len(questions))

    orders: dict[str, Callable[[list[Question]], list[Question]]] = {
        "of the file": list,
        "same frames together (ours)": lambda questions: neighbours(questions, plan.root),
        "longest first": lambda questions: sorted(questions, key=size, reverse=True),
        "shortest first": lambda questions: sorted(questions, key=size),
        "shuffled": shuffled,
    }

    def run(questions: list[Question]) -> tuple[float, int]:
        forget(adapter)
        started = time.perf_counter()
        items = [planned[question.key] for question in questions]
        work = bare_loop(
            engine._llm,
            items,
            lambda item: engine_prompt(preparer.load(item), preparer),
            asked_as,
            threads=threads,
            bound=arguments.bound,
        )
        cached = engine.loop.submit(work).result()
        return time.perf_counter() - started, sum(cached)

    questions = list(plan.questions)
    run(questions)  # warms what is compiled or imported on first use
    seconds: dict[str, list[float]] = {name: [] for name in orders}
    reused: dict[str, int] = {}
    for repetition in range(arguments.repetitions):
        for name, order in list(orders.items())[:: 1 if repetition % 2 == 0 else -1]:
            spent, reused[name] = run(order(questions))
            seconds[name].append(spent)
    adapter.close()
    total = sum(item.tokens for item in planned.values())
    least = min(seconds["of the file"])
    rows = [
        [name, f"{total - reused[name]:,}", f"{1 - reused[name] / total:.2f}", f"{min(spent):.1f}", min(spent) / least]
        for name, spent in seconds.items()
    ]
    print(f"{len(questions)} questions, {total:,} prompt tokens")
    print(
        tabulate(
            rows,
            ["order", "tokens computed", "of all", "seconds", "over the file's"],
            "github",
            floatfmt=("", "", "", "", ".2f"),
        )
    )


if __name__ == "__main__":
    main()
