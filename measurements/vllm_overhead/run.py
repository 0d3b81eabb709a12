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

from caches import forget
from vllm_overhead.bare_loop import BarePrompt, bare_loop, opened

from egocross_eval.api import evaluate
from egocross_eval.contracts.registry import registry
from egocross_eval.model_adapters.checkpoints.chat import render
from egocross_eval.model_adapters.spec import build_adapter, parse_spec
from egocross_eval.runs.options import options_from
from egocross_eval.runs.plan import plan_run
from egocross_eval.runs.requests import build_request


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
    plan = plan_run(options, registry())
    requests = [
        build_request(
            q,
            plan.approach(q).renderer.render(q, plan.root),
            plan.settings.generation,
            split="testbed",
            read_frames=True,
        )
        for q in plan.questions
    ]
    adapter: Any = build_adapter(parse_spec(f"{arguments.model},concurrency={arguments.bound}"), registry())
    engine = adapter._started(requests[0])
    processor = adapter._processor
    prompts = [BarePrompt(render(processor, r.prompt), r.prompt.frame_paths()) for r in requests]

    from egocross_eval.model_adapters.vllm.engine.prompts import engine_prompt, sampling

    asked_as = sampling(adapter._preparer(engine).plan(requests[0]))
    threads = min(16, os.cpu_count() or 1)

    def timed_loop(asked: list[Any], ready: Callable[[Any], dict[str, Any]]) -> float:
        started = time.perf_counter()
        work = bare_loop(engine._llm, asked, ready, asked_as, threads=threads, bound=arguments.bound)
        answered = engine.loop.submit(work).result()
        assert len(answered) == len(asked)
        return time.perf_counter() - started

    def bare() -> float:
        return timed_loop(prompts, opened)

    def scaled() -> float:
        preparer = adapter._preparer(engine)
        return timed_loop(requests, lambda r: engine_prompt(preparer.load(preparer.plan(r)), preparer))

    def ours() -> float:
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            run = evaluate(adapter, options=options, output=Path(folder) / "run")
            seconds = time.perf_counter() - started
            assert run.results.complete or run.results.counts["errored"] == 0
        return seconds

    scaled()  # warms what is compiled or imported on first use
    rounds = []
    for number in range(arguments.repetitions):
        order = (bare, scaled, ours) if number % 2 == 0 else (ours, scaled, bare)
        seconds = {}
        for side in order:
            forget(adapter)
            seconds[side.__name__] = side()
        rounds.append(seconds)
        shown = ", ".join(f"{side.__name__} {seconds[side.__name__]:.1f} s" for side in (bare, scaled, ours))
        print(f"round {number + 1}: {shown}", flush=True)
    adapter.close()
    frames = sum(len(prompt.paths) for prompt in prompts)
    print(f"{len(prompts)} questions, {frames} frames")
    for side in (bare, scaled):
        ratios = sorted(seconds["ours"] / seconds[side.__name__] for seconds in rounds)
        print(f"ours / {side.__name__}: {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    if arguments.json:
        arguments.json.write_bytes(msgspec.json.encode(rounds))


if __name__ == "__main__":
    main()
