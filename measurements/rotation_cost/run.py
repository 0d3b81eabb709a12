"""Cost of methods over one pass, in prompt tokens computed and in wall time; see README.md.

python measurements/rotation_cost/run.py --data ROOT --model hf:./tiny --max-pixels 65536
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from caches import forget

from egocross_eval.api import evaluate
from egocross_eval.contracts.model import ModelAdapter
from egocross_eval.contracts.registry import registry
from egocross_eval.model_adapters.spec import build_adapter, parse_spec
from egocross_eval.runs.options import options_from

ONE_PASS = "once"


class Cost(msgspec.Struct, frozen=True):
    """What a run took."""

    seconds: float
    prompt_tokens: int
    computed_tokens: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="data root; by default the demo benchmark, drawn for the occasion")
    parser.add_argument("--model", required=True, help="hf: or vllm: with a checkpoint")
    parser.add_argument("--max-pixels", type=int, default=65536)
    parser.add_argument("--answer", default="choose")
    parser.add_argument("--limit", type=int, help="ask this many questions, spread over the domains")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--method", action="append", help="beside one pass; may be repeated (default: rotate)")
    parser.add_argument("--tasks", default="all")
    parser.add_argument("--split", default="", help="by default the benchmark's first, or demo")
    arguments = parser.parse_args()
    arguments.method = [ONE_PASS, *(arguments.method or ["rotate"])]
    with tempfile.TemporaryDirectory() as folder:
        if arguments.data is None:
            from egocross_eval.tasks.egocross.demo import write_demo

            arguments.data = Path(folder) / "demo"
            write_demo(arguments.data)
            arguments.split = arguments.split or "demo"
        adapter = build_adapter(parse_spec(arguments.model), registry())
        measure(adapter, arguments, limit=2)  # loads the model, and warms what is imported or compiled on first use
        rounds = [measure(adapter, arguments, limit=arguments.limit) for _ in range(arguments.rounds)]
        adapter.close()
    print("| | prompt tokens | computed | seconds |")
    print("|---|---:|---:|---:|")
    for way in arguments.method:
        cost = rounds[0][way]
        seconds = statistics.median(costs[way].seconds for costs in rounds)
        print(f"| {way} | {cost.prompt_tokens:,} | {cost.computed_tokens:,} | {seconds:.1f} |")
    for way in arguments.method[1:]:
        shown, worst = [], []
        for field in ("prompt_tokens", "computed_tokens", "seconds"):
            ratios = [getattr(costs[way], field) / getattr(costs[ONE_PASS], field) for costs in rounds]
            shown.append(f"{statistics.median(ratios):.2f}")
            worst.append(f"{max(ratios):.2f}")
        print(f"| {way} over one pass |", " | ".join(shown), "|")
        print("| the same in the worst round |", " | ".join(worst), "|")


def measure(adapter: ModelAdapter, arguments: argparse.Namespace, *, limit: int | None) -> dict[str, Cost]:
    """All ways after each other, every cache empty before each."""
    costs = {}
    for way in arguments.method:
        forget(adapter)
        before = adapter.details()
        options = options_from(
            data=arguments.data,
            max_pixels=arguments.max_pixels,
            answer=arguments.answer,
            method=way,
            tasks=arguments.tasks,
            split=arguments.split,
            limit=limit,
            cache=False,
        )
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            run = evaluate(adapter, options=options, output=Path(folder) / "run")
            seconds = time.perf_counter() - started
            assert run.results.counts["errored"] == 0
        after = adapter.details()
        prompts, reused = (after[name] - before.get(name, 0) for name in ("prompt_tokens", "reused_prompt_tokens"))
        costs[way] = Cost(seconds, prompts, prompts - reused)
    return costs


if __name__ == "__main__":
    main()
