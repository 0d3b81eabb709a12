"""Kills replicas, drivers and Ray heads at random instants and looks at what is left: nothing lost, nothing twice.

python tests/model_adapters/ray/ray_drill.py [--replicas 150] [--drivers 25] [--heads 25] [--seed 0]

Runs of the command line with four replicas of a simulated engine, each on a cluster of its own, asked under all
rotations. While one is under way, processes of it are killed (SIGKILL) at random instants: workers again and again, or
the driver, or the head. Then the same command is started again, until it comes to its end. Every sample that was on
disk after a kill must be there at the end as it was, each question once, and the predictions must be those of a run
without Ray that nobody killed. Prints the counts as JSON, and what is wrong; exits 1 where something is.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "tests"))  # helper modules of the tests lie there

from living import below  # noqa: E402
from whole_lines import whole_lines  # noqa: E402

SAMPLES = "samples.jsonl"
ENGINE = "simulated:x,seconds=0.03,window=2"
ASKED = ("--split", "demo", "--method", "rotate", "--no-cache")
STARTS = 40
"""Most starts of one run: some end with failures, which the next asks again."""
PATIENCE = 300.0


def command(model: str, folder: Path) -> list[str]:
    """A run's command line."""
    return [sys.executable, "-m", "egocross_eval", "--model", model, *ASKED, "--output", str(folder)]


class Drill:
    """Kills, and what they showed."""

    def __init__(self, root: Path, kills: dict[str, int], seed: int) -> None:
        self.root, self.left = root, dict(kills)
        self.draw = random.Random(seed)
        self.counts = dict.fromkeys([*kills, "runs", "starts"], 0)
        self.wrong: list[str] = []
        self.environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE / "simulated")]),
            "EGOCROSS_CACHE": str(root / "cache"),
        }
        self.right = self._undisturbed()

    def _undisturbed(self) -> bytes:
        folder = self.root / "plain"
        subprocess.run(
            command(ENGINE.replace("seconds=0.03,", ""), folder), env=self.environment, check=True, capture_output=True
        )
        return (folder / "predictions.json").read_bytes()

    def run(self, number: int) -> None:
        """One run, killed until it comes to its end or no kill is left."""
        folder = self.root / f"run-{number}"
        seen: dict[bytes, None] = {}
        for _ in range(STARTS):
            code = self._start(number, folder)
            seen |= dict.fromkeys(whole_lines(folder / SAMPLES))
            if code == 0:
                break
        else:
            self.wrong.append(f"run {number}: not at its end after {STARTS} starts")
            return
        self._check(number, folder, seen)
        self.counts["runs"] += 1

    def _start(self, number: int, folder: Path) -> int:
        """One process of the run: what is to be killed is drawn first; its exit status."""
        kinds = [kind for kind, left in self.left.items() if left]
        kind = self.draw.choices(kinds, [self.left[kind] ** 0.5 for kind in kinds])[0] if kinds else ""
        self.counts["starts"] += 1
        with (self.root / f"log-{number}").open("a") as log:
            process = subprocess.Popen(
                command(f"ray:{ENGINE},replicas=4,cpus=0.25", folder), env=self.environment, stdout=log, stderr=log
            )
        deadline, before = time.monotonic() + PATIENCE, len(whole_lines(folder / SAMPLES))
        while process.poll() is None:
            if time.monotonic() > deadline:
                self.wrong.append(f"run {number}: it hangs after a kill of {kind or 'nothing'}")
                process.kill()
            answering = len(whole_lines(folder / SAMPLES)) > before
            if kind and self.left[kind] and (answering or (kind != "replicas" and self.draw.random() < 0.002)):
                time.sleep(self.draw.uniform(0, 0.7))
                self._kill(kind, process.pid)
                # The next one when something was answered since: replicas that never get to answer end a run.
                before = len(whole_lines(folder / SAMPLES))
            time.sleep(0.02)
        return process.returncode

    def _kill(self, kind: str, driver: int) -> None:
        sign = {"replicas": "ray::Worker", "heads": "gcs_server"}.get(kind, "")
        found = [number for number, one in below(driver).items() if sign in one.command] if sign else [driver]
        if found and self.left[kind]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.draw.choice(found), signal.SIGKILL)
                self.left[kind] -= 1
                self.counts[kind] += 1

    def _check(self, number: int, folder: Path, seen: dict[bytes, None]) -> None:
        found = whole_lines(folder / SAMPLES)
        final = {json.loads(line)["key"]: line for line in found}
        decided = [key for line in found if (key := _decided(line))]
        if len(decided) != len(set(decided)):
            self.wrong.append(f"run {number}: a question was answered twice")
        if not set(seen) <= set(found):
            self.wrong.append(f"run {number}: a sample that was on disk is gone or changed")
        if len(final) != 100 or (folder / "predictions.json").read_bytes() != self.right:
            self.wrong.append(f"run {number}: {len(final)} questions, or other predictions than without kills")
        if "Traceback" in (log := (self.root / f"log-{number}").read_text(errors="replace")):
            self.wrong.append(f"run {number}: a traceback:\n{log[-3000:]}")


def _decided(line: bytes) -> str:
    """The key of a sample that is no failure."""
    sample = json.loads(line)
    return "" if sample["grade"]["outcome"] == "errored" else str(sample["key"])


def main() -> int:
    """Drills; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--replicas", type=int, default=150)
    parser.add_argument("--drivers", type=int, default=25)
    parser.add_argument("--heads", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    given = vars(parser.parse_args())
    seed = given.pop("seed")
    root = Path(tempfile.mkdtemp(prefix="ray-drill-"))
    begun = time.monotonic()
    drill = Drill(root, given, seed)
    number = 0
    while any(drill.left.values()) and len(drill.wrong) < 3:
        drill.run(number)
        number += 1
    said = {**drill.counts, "wrong": drill.wrong, "seconds": round(time.monotonic() - begun)}
    sys.stdout.write(json.dumps(said, indent=1) + "\n")
    if not drill.wrong:
        shutil.rmtree(root, ignore_errors=True)
    return 1 if drill.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
