"""Wall time, CPU time and memory of `vllm:` beside lmms-eval's vLLM adapter on the same questions; see README.md."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
from questions import planned, write_questions
from side import SETTINGS, Job, Took

from egocross_eval.runs.options import options_from

OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
REFERENCE = "ours-generate"


class Round(msgspec.Struct):
    """One pass of one side."""

    took: Took
    whole: float
    """Wall seconds of the whole process, the engine's start and the imports included."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="data root; by default the demo benchmark")
    parser.add_argument("--checkpoint", type=Path, help="a Qwen-VL checkpoint; by default a tiny one is built")
    parser.add_argument("--max-pixels", type=int, default=4096)
    parser.add_argument("--questions", type=int, help="ask this many, drawn over all; by default all")
    parser.add_argument("--sides", default="lmms-whole,lmms-whole-all,lmms-default,lmms-all,ours-generate,ours-choose")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--work", type=Path, help="folder for what is written; by default a temporary one")
    return parser.parse_args()


def one_pass(job: Job, work: Path) -> Round:
    """Runs a side in a process of its own."""
    started = time.perf_counter()
    with (work / f"{job.setting}.log").open("ab") as log:
        command = [
            sys.executable,
            str(Path(__file__).with_name("side.py")),
            msgspec.json.encode(job, enc_hook=str).decode(),
        ]
        environment = os.environ | OFFLINE | {"HF_HOME": str(work / "hub")}
        ended = subprocess.run(command, cwd=work, env=environment, stdout=log, stderr=log, check=False)
    if ended.returncode:
        sys.exit(f"{job.setting} ended with {ended.returncode}; see {log.name}")
    whole = time.perf_counter() - started
    return Round(msgspec.json.decode(job.result.read_bytes(), type=Took), whole)


def table(rounds: dict[str, list[Round]]) -> str:
    """Medians of each side's rounds as Markdown."""
    lines = [
        "| side | seconds | questions/s | CPU seconds | peak MiB | whole process, seconds | seconds / ours |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for side, passes in rounds.items():
        took = [one.took for one in passes]
        seconds = statistics.median(one.seconds for one in took)
        ratios = sorted(
            mine.took.seconds / other.took.seconds
            for mine, other in zip(passes, rounds.get(REFERENCE, []), strict=False)
        )
        shown = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})" if ratios else ""
        cells = [
            SETTINGS[side].title,
            f"{seconds:.1f}",
            f"{len(took[0].answers) / seconds:.1f}",
            f"{statistics.median(one.cpu_seconds for one in took):.1f}",
            f"{statistics.median(one.peak_bytes for one in took) / 2**20:.0f}",
            f"{statistics.median(one.whole for one in passes):.1f}",
            shown,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def agreement(rounds: dict[str, list[Round]]) -> str:
    """On how many questions each side gave the same text as ours."""
    lines = []
    wanted = rounds[REFERENCE][0].took.answers if rounds.get(REFERENCE) else {}
    for side, passes in rounds.items():
        for number, one in enumerate(passes):
            equal = sum(one.took.answers.get(key) == text for key, text in wanted.items())
            kinds = len(set(one.took.answers.values()))
            lines.append(f"{side}, round {number + 1}: {equal} of {len(wanted)} answers equal, {kinds} different texts")
    return "\n".join(lines)


def main() -> None:
    given = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        work = (given.work or Path(scratch)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        checkpoint = given.checkpoint.resolve() if given.checkpoint else work / "tiny"
        if not checkpoint.exists():
            from egocross_eval.model_adapters.checkpoints.tiny import build_tiny

            build_tiny(checkpoint)
        job = Job(
            setting="",
            checkpoint=checkpoint,
            data=given.data.resolve() if given.data else planned(options_from(split="demo")).root.path,
            split="testbed" if given.data else "demo",
            questions=given.questions,
            max_pixels=given.max_pixels,
            result=work / "result.json",
        )
        plan = planned(job.options("generate"))
        frames = write_questions(plan, checkpoint, work / "questions.jsonl")
        print(f"{len(plan.questions)} questions, {frames} frames", flush=True)
        sides = given.sides.split(",")
        rounds: dict[str, list[Round]] = {side: [] for side in sides}
        for number in range(given.rounds):
            for side in sides if number % 2 == 0 else reversed(sides):
                one = one_pass(msgspec.structs.replace(job, setting=side), work)
                rounds[side].append(one)
                print(f"round {number + 1}: {side} {one.took.seconds:.1f} s of {one.whole:.1f} s", flush=True)
                (work / "rounds.json").write_bytes(msgspec.json.encode(rounds))
        print(table(rounds), agreement(rounds), sep="\n\n")


if __name__ == "__main__":
    main()
