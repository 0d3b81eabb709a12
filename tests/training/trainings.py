"""Small trainings for the tests that train for real, and the processes they start."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.settings import PromptSettings
from egocross_eval.training.options import TrainOptions

CHANGES = ("cutoff_len=4096", "learning_rate=1e-3", "gradient_accumulation_steps=2")

SHOWN: dict[str, Any] = {"frames": "uniform:3", "max_pixels": 4096}
"""How the questions are shown, in training and evaluation."""


def options(base: Path, bench: Path, output: Path, **changes: object) -> TrainOptions:
    """Full fine-tuning on the demo's twenty animal examples: seconds on a CPU."""
    chosen = TrainOptions(
        model=str(base),
        data=bench,
        output=output,
        domains=("animal",),
        recipe="full",
        changes=CHANGES,
        prompt=PromptSettings(**SHOWN),
        gpus=0,
    )
    return shown(chosen, **changes)


def shown(options: TrainOptions, **changes: object) -> TrainOptions:
    """The options with some of them changed, those of the prompt by their own names."""
    prompt = {name: changes.pop(name) for name in PromptSettings.__struct_fields__ if name in changes}
    return msgspec.structs.replace(options, prompt=msgspec.structs.replace(options.prompt, **prompt), **changes)


def command(base: Path, bench: Path, output: Path, python: Path, *words: str) -> list[str]:
    """The same from the command line."""
    start = [sys.executable, "-m", "egocross_eval", "train", "--model", str(base), "--data", str(bench)]
    start += ["--domain", "animal", "--recipe", "full", "--gpus", "0", "--frames", "uniform:3", "--max-pixels", "4096"]
    start += ["--output", str(output), "--python", str(python)]
    for change in CHANGES:
        start += ["--set", change]
    return [*start, *words]


def kill_tree(pid: int) -> None:
    """SIGKILL to a process and to every process below it, whatever session they're in."""
    children = [number for number, parent in _parents().items() if parent == pid]
    os.kill(pid, signal.SIGKILL)
    for child in children:
        kill_tree(child)


def naming(text: str) -> list[int]:
    """Running processes whose command line or working folder names `text`."""
    found = []
    for number in _parents():
        place = Path("/proc") / str(number)
        try:
            words = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            folder = str((place / "cwd").readlink())
        except OSError:
            continue
        if text in words or text in folder:
            found.append(number)
    return found


def gone(text: str, patience: float = 30.0) -> bool:
    """Whether no process that names `text` is left, at the latest after `patience` seconds."""
    limit = time.monotonic() + patience
    while naming(text) and time.monotonic() < limit:
        time.sleep(0.1)
    return not naming(text)


def _parents() -> dict[int, int]:
    """Parent by process; those that have ended and wait to be reaped are left out."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            except (OSError, ValueError):
                continue
            if status[0] != "Z":
                found[int(entry.name)] = int(status[1])
    return found
