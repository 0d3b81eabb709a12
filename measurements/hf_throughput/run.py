"""Compares `hf:` with a question-by-question loop on the same checkpoint, questions and frames.

    python measurements/hf_throughput/run.py --data ROOT --checkpoint DIR --max-pixels 4096 --max-new-tokens 16

Every side runs in a process of its own, after one question that loads the model. Seconds are those of the questions
alone; for `hf:` they include rendering the prompts and hashing the frames, which the loop doesn't do.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egocross_eval.schema import Request

sys.path.insert(0, str(Path(__file__).parents[1]))

SIDES = ("loop", "generate", "choose")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="data root; by default the demo benchmark, written for the occasion")
    parser.add_argument("--checkpoint", type=Path, help="a Qwen-VL checkpoint; by default a tiny one is built")
    parser.add_argument("--max-pixels", type=int, default=4096)
    parser.add_argument("--max-new-tokens", type=int, default=16)
    parser.add_argument("--questions", type=int, help="ask this many, evenly spread; by default all")
    parser.add_argument("--options", default="", help="further options of the hf: spec, e.g. batch_size=32")
    parser.add_argument("--sides", default=",".join(SIDES), help="comma-separated: loop, generate, choose")
    parser.add_argument("--rounds", type=int, default=1, help="repeat, the sides taking turns; medians are shown")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    return parser.parse_args()


def requests(options: argparse.Namespace, side: str) -> Iterator[Request]:
    import asked

    from egocross_eval.contracts.registry import registry
    from egocross_eval.runs.options import options_from
    from egocross_eval.runs.plan import plan_run

    asking = options_from(
        data=options.data,
        answer="choose" if side == "choose" else "generate",
        max_pixels=options.max_pixels,
        max_new_tokens=options.max_new_tokens,
    )
    plan = plan_run(asking, registry())
    step = max(1, len(plan.questions) // (options.questions or len(plan.questions)))
    return asked.requests(plan, islice(plan.questions[::step], options.questions), hashed=side != "loop")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Asks all questions in this process."""
    return measured_loop(options) if options.side == "loop" else measured_adapter(options)


def measured_loop(options: argparse.Namespace) -> dict[str, Any]:
    from loop import QuestionLoop

    loop = QuestionLoop(options.checkpoint, options.max_pixels)
    list(loop.run(islice(requests(options, options.side), 1)))
    wall, cpu = time.perf_counter(), time.process_time()
    count = sum(1 for _ in loop.run(requests(options, options.side)))
    return result(options.side, count, wall, cpu)


def measured_adapter(options: argparse.Namespace) -> dict[str, Any]:
    from egocross_eval.contracts.registry import registry
    from egocross_eval.model_adapters.spec import build_adapter, parse_spec

    extra = f",{options.options}" if options.options else ""
    adapter = build_adapter(parse_spec(f"hf:{options.checkpoint}{extra}"), registry())
    list(adapter.generate(islice(requests(options, options.side), 1)))
    wall, cpu = time.perf_counter(), time.process_time()
    count = sum(response.failure is None for response in adapter.generate(requests(options, options.side)))
    found = result(options.side, count, wall, cpu)
    adapter.close()
    return found


def result(side: str, count: int, wall: float, cpu: float) -> dict[str, Any]:
    return {
        "side": side,
        "questions": count,
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    options = arguments()
    if options.side:
        print(json.dumps(measure(options)))
        return
    with tempfile.TemporaryDirectory() as folder:
        fill_in(options, Path(folder))
        sides = options.sides.split(",")
        rounds = [[in_process(side, options) for side in sides] for _ in range(options.rounds)]
    show([[found[place] for found in rounds] for place in range(len(sides))])


def fill_in(options: argparse.Namespace, folder: Path) -> None:
    """The demo benchmark and a tiny checkpoint, where none is given."""
    if options.data is None:
        from egocross_eval.tasks.egocross.demo import write_demo

        options.data = folder / "demo"
        write_demo(options.data)
    if options.checkpoint is None:
        from egocross_eval.model_adapters.checkpoints.tiny import build_tiny

        options.checkpoint = folder / "tiny"
        build_tiny(options.checkpoint)


def show(sides: list[list[dict[str, Any]]]) -> None:
    """Prints medians of each side's rounds, and how they stand to the loop's, with the worst round's ratio."""
    base = next((found for found in sides if found[0]["side"] == "loop"), None)
    print("| side | questions | seconds | questions/s | CPU seconds | peak MB | times as fast | CPU: loop / this |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for found in sides:
        row = middle(found)
        name = "question-by-question loop" if row["side"] == "loop" else f"hf: {row['side']}"
        pace = f"{row['questions'] / row['seconds']:.1f}"
        ratios = [ratio(base, found, key) if base else "" for key in ("seconds", "cpu_seconds")]
        cells = [name, f"{row['questions']:.0f}", f"{row['seconds']:.1f}", pace, f"{row['cpu_seconds']:.1f}"]
        print("|", " | ".join([*cells, f"{row['peak_mb']:.0f}", *ratios]), "|")


def ratio(base: list[dict[str, Any]], found: list[dict[str, Any]], key: str) -> str:
    """The median of the rounds' ratios, each to the loop beside it, and the lowest."""
    ratios = [one[key] / other[key] for one, other in zip(base, found, strict=True)]
    return f"{statistics.median(ratios):.1f} ({min(ratios):.1f})"


def middle(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians of one side's rounds."""
    figures = ("questions", "seconds", "cpu_seconds", "peak_mb")
    return {"side": found[0]["side"], **{key: statistics.median(one[key] for one in found) for key in figures}}


def in_process(side: str, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, __file__, "--side", side, "--options", options.options]
    for name in ("data", "checkpoint", "max_pixels", "max_new_tokens", "questions"):
        value = getattr(options, name)
        if value is not None:
            command += [f"--{name.replace('_', '-')}", str(value)]
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment, text=True).stdout
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
