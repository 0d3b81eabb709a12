"""What feeds an engine, in frames a second and core; see README.md.

python measurements/feeding/run.py --data ROOT --frames 200
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "model_adapters"))

import torch
from hf_requests import make_request
from processors import PROCESSORS

from egocross_eval import Request
from egocross_eval.contracts.registry import registry
from egocross_eval.frames.store import scaled_frame
from egocross_eval.model_adapters.checkpoints.decoding import FrameCache
from egocross_eval.model_adapters.checkpoints.model_inputs import model_inputs
from egocross_eval.model_adapters.checkpoints.preparation import Item, Loaded, Preparer
from egocross_eval.runs.options import options_from
from egocross_eval.runs.plan import plan_run

FRAMES = 10_748
"""Of the 957 questions."""

PASS_SECONDS = {"H100": 90, "A100": 284, "4090": 537}
"""A pass of Qwen3-VL-4B over them in choose mode, 360,000 pixels a frame, at half of the card's peak: arithmetic."""

FRAMES_A_QUESTION = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--max-pixels", type=int, default=360_000)
    parser.add_argument("--frames", type=int, default=200, help="frames drawn from all of the testbed's")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    paths = drawn(arguments.data, arguments.frames)
    requests = questions(paths, arguments.max_pixels)
    print(f"{len(paths)} frames; seconds are those of a core, so that other work on the machine hardly counts\n")
    print("| processor | decode, scale: ms | processor: ms | frames/s and core | tokens a frame |")
    print("|---|---:|---:|---:|---:|")
    rates = {}
    for name, make in PROCESSORS.items():
        loading, processing, tokens = family(make, requests, arguments.rounds)
        rates[name] = 1 / (loading + processing)
        row = f"{1000 * loading:.1f} | {1000 * processing:.1f} | {rates[name]:.0f} | {tokens:.0f}"
        print(f"| {name} | {row} |", flush=True)
    sending = cost(lambda: [scaled_frame(str(path), arguments.max_pixels) for path in paths], arguments.rounds)
    print(f"| JPEG copies for a server | {1000 * sending / len(paths):.1f} | | {len(paths) / sending:.0f} | |")
    print("\nWhat Qwen3-VL-4B takes at half of the card's peak, and the cores that this is:\n")
    print("| | frames/s | " + " | ".join(rates) + " |\n|---|---:|" + "---:|" * len(rates))
    for card, seconds in PASS_SECONDS.items():
        for count in (1, 4):
            needed = count * FRAMES / seconds
            cores = " | ".join(f"{needed / rate:.1f}" for rate in rates.values())
            print(f"| {count} x {card} | {needed:.0f} | {cores} |")


def drawn(root: Path, count: int) -> list[Path]:
    """Frames of the testbed, each as likely as often it's shown."""
    plan = plan_run(options_from(data=root, tasks="all"), registry())
    assert plan.root is not None
    paths = [Path(p) for question in plan.questions for p in plan.renderer.render(question, plan.root).frame_paths()]
    return random.Random(0).sample(paths, count)


def questions(paths: list[Path], budget: int) -> list[Request]:
    pieces = [paths[start : start + FRAMES_A_QUESTION] for start in range(0, len(paths), FRAMES_A_QUESTION)]
    return [make_request(str(number), piece, max_pixels=budget) for number, piece in enumerate(pieces)]


def family(make: Callable[[], Any], requests: list[Request], rounds: int) -> tuple[float, float, float]:
    """(decode and scale, processor) in core-seconds a frame, and tokens a frame."""
    preparer = Preparer(make(), None)
    planned = [item for item in map(preparer.plan, requests) if isinstance(item, Item)]
    assert len(planned) == len(requests)
    frames = sum(len(item.images) for item in planned)

    def load() -> list[Loaded]:
        preparer._frames = FrameCache(0)
        return [loaded for loaded in map(preparer.load, planned) if isinstance(loaded, Loaded)]

    loading = cost(load, rounds)
    loaded = load()
    processing = cost(lambda: [model_inputs(preparer, [one]) for one in loaded], rounds)
    tokens = sum(item.tokens - len(item.ids) for item in planned) / frames
    return loading / frames, processing / frames, tokens


def cost(work: Callable[[], object], rounds: int) -> float:
    """Core-seconds of a call, the median of some."""
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
