"""What the loop costs: 100,000 asks by a baseline, once each and as four rotations, whole runs with all their files.

python measurements/many_asks/run.py [--asks 100000]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from egocross_eval import Question

FRAMES = 11
"""As many as a question of the testbed has on average."""

METHODS = {"once": 1, "rotate": 4}


def questions(count: int) -> tuple[Question, ...]:
    """Questions in the shape of the testbed's: four options, eleven frames, seven questions a video."""
    from egocross_eval import Frame, Question

    made = []
    for number in range(count):
        video = f"Set{number % 5}/V{number // 7:05d}"
        frames = tuple(
            Frame(name=f"benchmark/{video}/frames/q{number}/frame_{place:04d}.jpg", time=2.0 * place)
            for place in range(FRAMES)
        )
        options = {label: f"the {word} one, number {number}" for label, word in zip("ABCD", WORDS, strict=True)}
        labels = {"domain": f"domain {number % 4}", "question_type": f"type {number % 15}"}
        made.append(
            Question(
                id=number + 1,
                key=f"Set{number % 5}_V{number // 7:05d}_q{number}",
                text=f"Which of the four things does the person hold in clip {number}?",
                frames=frames,
                options=options,
                target="ABCD"[number % 4],
                cluster=video,
                labels=labels,
            )
        )
    return tuple(made)


WORDS = ("left", "right", "upper", "lower")


def one_run(method: str, count: int, folder: Path) -> None:
    """A whole run in this process; prints its seconds and peak memory as JSON."""
    from egocross_eval import Benchmark, DataSource, Event, Grouping, Questions, Stopped, Task, evaluate, hookimpl
    from egocross_eval.contracts.registry import registry

    benchmark = Benchmark(
        name="many",
        title="Many",
        groupings=(Grouping(name="domain", title="domain", labels=("domain",)),),
        macro="domain",
        cluster="video",
    )

    def load(source: DataSource) -> Questions:
        return Questions(questions=questions(count), root=folder)

    class Plugin:
        @hookimpl
        def egocross_tasks(self) -> list[Task]:
            return [Task(name="many", benchmark=benchmark, description="", load=load)]

    known = registry()
    known.add("many", Plugin, distribution="many", version="1")
    known.collect()
    asking: list[float] = []

    def notice(event: Event) -> None:
        if isinstance(event, Stopped):
            asking.extend((time.perf_counter() - started, _peak()))

    started = time.perf_counter()
    run = evaluate("baseline:chance", "many", output=folder / "run", method=method, cache=False, on_event=notice)
    seconds = time.perf_counter() - started
    assert run.results.counts["total"] == count
    assert run.results.complete
    size = sum(path.stat().st_size for path in (folder / "run").iterdir())
    print(json.dumps({"seconds": seconds, "peak": _peak(), "asking": asking, "bytes": size}))


def _peak() -> float:
    """Peak memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Both methods, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--asks", type=int, default=100_000)
    parser.add_argument("--method", choices=METHODS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if given.method:
            one_run(given.method, given.asks // METHODS[given.method], Path(scratch))
            return
    print(f"{os.cpu_count()} cores, {given.asks:,} asks\n")
    print("| method | questions | seconds | of it asking | peak MB | while asking | MB on disk |")
    print("|---|---|---|---|---|---|---|")
    for method, each in METHODS.items():
        command = [sys.executable, __file__, "--asks", str(given.asks), "--method", method]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found = json.loads(done.stdout.splitlines()[-1])
        print(
            f"| {method} | {given.asks // each:,} | {found['seconds']:.0f} | {found['asking'][0]:.0f} | "
            f"{found['peak']:.0f} | {found['asking'][1]:.0f} | {found['bytes'] / 1e6:.0f} |"
        )


if __name__ == "__main__":
    main()
