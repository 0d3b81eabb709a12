"""Starts the real lmms-eval as a user would, and reads what it wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


class LmmsEvalRun(NamedTuple):
    """What a process left."""

    folder: Path
    """The run folder, or where lmms-eval's files are."""
    printed: str
    results: dict[str, Any]
    """lmms-eval's results file."""

    def value(self, task: str, metric: str) -> float:
        """A figure of lmms-eval's table."""
        return float(self.results["results"][task][f"{metric},none"])

    def samples(self) -> list[dict[str, Any]]:
        """Lines of all its sample logs."""
        files = sorted(self.folder.rglob("*_samples_*.jsonl"))
        return [json.loads(line) for path in files for line in path.read_text().splitlines()]


def environment(work: Path) -> dict[str, str]:
    """The environment of a process that sees neither the network nor the user's caches."""
    return {**os.environ, **OFFLINE, "HF_HOME": str(work / "hf"), "EGOCROSS_CACHE": str(work / "cache")}


def start(work: Path, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs a Python module of this environment in a folder of its own."""
    command = [sys.executable, "-m", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=work, env=environment(work), capture_output=True, text=True, timeout=500, check=False
    )
    assert not check or done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def left(folder: Path, printed: str) -> LmmsEvalRun:
    """What lmms-eval wrote somewhere below a folder."""
    (path,) = folder.rglob("*_results.json")
    return LmmsEvalRun(folder, printed, json.loads(path.read_text()))


def run_inside(
    data: Path, work: Path, model_args: str, *more: str, model: str = "egocross", code: int = 0
) -> LmmsEvalRun:
    """`egocross-eval lmms-eval run` over the demo benchmark; `code` is the exit code that it must end with."""
    words: list[str | Path] = ["lmms-eval", "run", "--data", data, "--split", "demo", "--output", work / "run"]
    work.mkdir(exist_ok=True)
    done = start(work, "egocross_eval", *words, "--model", model, "--model_args", model_args, *more, check=False)
    assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
    return left(work / "run", done.stdout)
