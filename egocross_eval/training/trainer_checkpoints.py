"""The trainer's own checkpoints: those written to the end are gone on from, others are removed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from egocross_eval.training.environment import Say


def is_trained(model: Path, steps: int) -> bool:
    """Whether an earlier call trained to the end and was stopped before it wrote the card."""
    return steps_done(model) >= steps and any(model.glob("*.safetensors"))


def drop_torn_checkpoints(model: Path, say: Say) -> int:
    """Removes checkpoints that weren't written to the end; returns the step of the last whole one, 0 without any."""
    last = 0
    for folder in sorted(model.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2])):
        if is_whole(folder):
            last = int(folder.name.rpartition("-")[2])
        else:
            say(f"{folder.name} was not written to its end; it is removed")
            shutil.rmtree(folder)
    if last:
        say(f"going on from step {last}")
    return last


def is_whole(folder: Path) -> bool:
    """Whether a trainer's checkpoint can be gone on from: its state, written last, is there and complete."""
    try:
        state = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    weights = list(folder.glob("*.safetensors")) + list(folder.glob("global_step*"))
    return bool(weights) and isinstance(state, dict) and "global_step" in state


def steps_done(model: Path) -> int:
    """Steps by the trainer's own final state."""
    try:
        state = json.loads((model / "trainer_state.json").read_text(encoding="utf-8"))
        return int(state["global_step"])
    except (OSError, ValueError, KeyError):
        return 0
