"""Kills runs at random instants and looks at what is left: nothing lost, nothing twice, nothing in the way.

python tests/runs/kill_drill.py [--kills 1000] [--late 200] [--seed 0]

Runs of the command line on the demo benchmark, once, as rotations, in pairs and in several rounds, are killed (SIGKILL)
at an instant drawn from their whole time, and others within their last 50 ms, where the derived files are written. Each
is started again until one comes to its end. No start may show a traceback; every sample that was on disk after a kill
must be there at the end as it was, each question once; results and predictions must be those of a run that nobody
killed; and no scratch file may be left. Prints the counts as JSON, and what is wrong; exits 1 where something is.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # helper modules of the tests lie there

from whole_lines import whole_lines

METHODS = ("once", "rotate", "pairwise", "reflect")
LATE = 0.05
MOST_KILLS = 4
"""Of one run, before it's left to come to its end."""


def command(folder: Path, method: str) -> list[str]:
    """A run's arguments."""
    return ["--model", "baseline:chance", "--split", "demo", "--method", method, "--output", str(folder)]


def start(arguments: list[str], log: Path) -> int:
    """The command line in a process of its own, forked: an interpreter's start isn't what is drilled."""
    process = os.fork()
    if process:
        return process
    with log.open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    code = 70
    with contextlib.suppress(BaseException):
        from egocross_eval.cli.main import main

        try:
            main(arguments)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 70
        except BaseException:
            import traceback

            traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def ended(process: int) -> int:
    """Its exit status once it has ended; negative: the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def killed(process: int, seconds: float) -> int:
    """Its exit status where it ended within that time; else it is killed then."""
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        number, status = os.waitpid(process, os.WNOHANG)
        if number:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    os.kill(process, signal.SIGKILL)
    return ended(process)


class Drill:
    """Kills, and what they showed."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.draw = random.Random(seed)
        self.wrong: list[str] = []
        self.counts = {"runs": 0, "kills": 0, "late_kills": 0, "ended_before_the_kill": 0}
        self.seconds: dict[str, float] = {}
        self.right: dict[str, tuple[Any, bytes]] = {}

    def measure(self) -> None:
        """The time of a whole run and what it leaves, nobody killing it."""
        for method in METHODS:
            took = []
            for number in range(5):
                folder = self.root / f"whole-{method}-{number}"
                begun = time.perf_counter()
                code = ended(start(command(folder, method), self.root / "whole.log"))
                took.append(time.perf_counter() - begun)
                if code:
                    raise SystemExit(f"a run that nobody killed exits {code}:\n{(self.root / 'whole.log').read_text()}")
            self.seconds[method] = statistics.median(took)
            self.right[method] = self._left(folder)

    @staticmethod
    def _left(folder: Path) -> tuple[Any, bytes]:
        results = json.loads((folder / "results.json").read_bytes())
        kept = {name: results[name] for name in ("complete", "counts", "micro", "macro")}
        return kept, (folder / "predictions.json").read_bytes()

    def run(self, number: int, *, late: bool) -> None:
        """One run, killed up to `MOST_KILLS` times."""
        method = METHODS[number % len(METHODS)]
        place = self.root / f"run-{number}"
        place.mkdir()
        folder, log = place / "run", place / "log"
        seen: dict[bytes, None] = {}
        for attempt in range(MOST_KILLS):
            begun = time.perf_counter()
            code = killed(start(command(folder, method), log), self._instant(self.seconds[method], late=late))
            took = time.perf_counter() - begun
            seen |= dict.fromkeys(whole_lines(folder / "samples.jsonl"))
            if code != -signal.SIGKILL:
                self.counts["ended_before_the_kill"] += 1
                if not attempt:  # the machine was busier when it was measured
                    self.seconds[method] = took
                self._expect(code == 0, number, f"exit {code} of a run that ended before the kill")
                break
            self.counts["late_kills" if late else "kills"] += 1
        self._expect(
            (code := ended(start(command(folder, method), log))) == 0, number, f"exit {code} of the last start"
        )
        self._check(number, method, folder, seen, log.read_text(errors="replace"))
        self.counts["runs"] += 1
        if not any(text.startswith(f"run {number}:") for text in self.wrong):
            shutil.rmtree(place)

    def _instant(self, whole: float, *, late: bool) -> float:
        return max(0.0, self.draw.uniform(whole - LATE, whole) if late else self.draw.uniform(0, whole))

    def _check(self, number: int, method: str, folder: Path, seen: dict[bytes, None], log: str) -> None:
        self._expect("Traceback" not in log, number, f"a traceback:\n{log[-2000:]}")
        lines = whole_lines(folder / "samples.jsonl")
        keys = [json.loads(line)["question"]["key"] for line in lines]
        self._expect(len(keys) == len(set(keys)), number, "a question twice")
        self._expect(set(seen) <= set(lines), number, "a sample that was on disk is gone or changed")
        missing = [
            name for name in ("leaderboard.md", "predictions.json", "results.json") if not (folder / name).exists()
        ]
        self._expect(not missing, number, f"no {', '.join(missing)}")
        self._expect(not missing and self._left(folder) == self.right[method], number, "other results or predictions")
        odd = {path.name for path in folder.iterdir()} - FILES
        self._expect(not odd, number, f"left over: {', '.join(sorted(odd))}")

    def _expect(self, holds: bool, number: int, message: str) -> None:
        if not holds:
            self.wrong.append(f"run {number}: {message}")


FILES = {
    "activity.json",
    "leaderboard.md",
    "predictions.json",
    "questions.jsonl",
    "results.json",
    "run.json",
    "samples.jsonl",
    ".lock",
}


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder for the runs, kept where something is wrong with one of them."""
    root = Path(tempfile.mkdtemp(prefix="kill-drill-"))
    os.environ["EGOCROSS_CACHE"] = str(root / "cache")
    yield root
    with contextlib.suppress(OSError):
        shutil.rmtree(root / "cache", ignore_errors=True)
        for path in root.glob("whole*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        root.rmdir()


def main() -> int:
    """Drills; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=1000, help="kills at any instant")
    parser.add_argument("--late", type=int, default=200, help="kills within the last 50 ms")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    import egocross_eval.api
    import egocross_eval.cli.main  # noqa: F401  # loaded once, before the forks

    with scratch() as root:
        drill = Drill(root, given.seed)
        drill.measure()
        number = 0
        while drill.counts["kills"] < given.kills or drill.counts["late_kills"] < given.late:
            drill.run(number, late=drill.counts["kills"] >= given.kills)
            number += 1
    sys.stdout.write(
        json.dumps({**drill.counts, "wrong": drill.wrong, "seconds_of_a_run": drill.seconds}, indent=1) + "\n"
    )
    return 1 if drill.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
