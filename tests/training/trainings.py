"""Small trainings for the tests that train for real, and the processes they start."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec
from living import below, kill, living

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
    os.kill(pid, signal.SIGSTOP)  # it does nothing more, however long it takes to find the others
    kill([pid, *below(pid)])


def naming(text: str) -> list[int]:
    """Running processes whose command line or working folder names `text`."""
    return [number for number, one in living().items() if text in one.command or text in one.folder]
