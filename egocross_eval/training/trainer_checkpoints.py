"""The trainer's own checkpoints: those written to the end are gone on from, others are removed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.documents import read_json
from egocross_eval.errors import DataError
from egocross_eval.training.environment import Say

_NAME = re.compile(r"checkpoint-([0-9]{1,12})")


def kept_in(model: Path) -> dict[int, Path]:
    """The trainer's checkpoints below the folder of a model, by step and in the order of steps."""
    found = {int(match[1]): path for path in model.glob("checkpoint-*") if (match := _NAME.fullmatch(path.name))}
    return dict(sorted(found.items()))


def is_trained(model: Path, steps: int) -> bool:
    """Whether an earlier call trained to the end and was stopped before it wrote the card."""
    return steps_done(model) >= steps and any(model.glob("*.safetensors"))


def drop_torn_checkpoints(model: Path, say: Say) -> int:
    """Removes checkpoints that weren't written to the end; returns the step of the last whole one, 0 without any."""
    last = 0
    for step, folder in kept_in(model).items():
        if is_whole(folder):
            last = step
        else:
            say(f"{folder.name} was not written to its end; it is removed")
            shutil.rmtree(folder)
    if last:
        say(f"going on from step {last}")
    return last


def drop_resume_checkpoints(model: Path, arguments: Mapping[str, Any], say: Say) -> None:
    """Removes the checkpoints of a finished training that were kept to go on from: weights and optimizer once more.

    Only where one at a time was kept (`save_total_limit: 1`); others were kept to be compared.
    """
    if arguments.get("save_total_limit") != 1:
        return
    for folder in kept_in(model).values():
        say(f"{folder.name} is removed: it was kept to go on from")
        shutil.rmtree(folder)


def is_whole(folder: Path) -> bool:
    """Whether a trainer's checkpoint can be gone on from: its state, written last, is there and complete."""
    weights = list(folder.glob("*.safetensors")) + list(folder.glob("global_step*"))
    return bool(weights) and _state(folder) is not None


def steps_done(model: Path) -> int:
    """Steps by the trainer's own final state."""
    state = _state(model)
    return state.global_step if state else 0


class _State(msgspec.Struct):
    global_step: int


def _state(folder: Path) -> _State | None:
    """What the trainer wrote last into a folder; None where that isn't there or is torn."""
    try:
        return read_json(folder / "trainer_state.json", _State)
    except DataError:
        return None
