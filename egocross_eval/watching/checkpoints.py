"""The checkpoints in a training's folder, those of them that are whole, and how many there are to be."""

from __future__ import annotations

import math
import re
import time
from pathlib import Path
from typing import NamedTuple

import msgspec

from egocross_eval.counted import counted
from egocross_eval.documents import read_json
from egocross_eval.errors import DataError, UsageError
from egocross_eval.model_adapters.checkpoints.identity import weights_hash
from egocross_eval.model_adapters.checkpoints.weight_files import read_header
from egocross_eval.training.checkpoint_weights import incomplete_shards

QUIET = 60.0
"""Seconds without a change after which a folder without a trainer's state counts as written to its end."""

_NAME = re.compile(r"checkpoint-([0-9]{1,12})")


class Found(NamedTuple):
    """A checkpoint."""

    step: int
    path: Path

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.path.name


class TrainerState(msgspec.Struct, frozen=True):
    """What is read of `trainer_state.json`, which a trainer writes last."""

    global_step: int
    max_steps: int = 0
    save_steps: float = 0
    epoch: float = 0

    @property
    def ended(self) -> bool:
        """Whether it is that of the training's last step."""
        return 0 < self.max_steps <= self.global_step

    @property
    def apart(self) -> int:
        """Steps from one checkpoint to the next; 0 where that can't be told.

        A training that saves at the end of each epoch has a `save_steps` too, which it doesn't keep to.
        """
        every, epochs = int(self.save_steps), round(self.epoch)
        if every and (self.global_step % every == 0 or (self.ended and every < self.max_steps)):
            return every
        at_end = epochs > 0 and abs(self.epoch - epochs) < 1e-3 and self.global_step % epochs == 0
        return self.global_step // epochs if at_end else 0


def found_in(folder: Path, every: int) -> list[Found]:
    """The checkpoints directly within a folder, or within its `model`, whose step is a multiple of `every`, by step."""
    places = [path for path in (folder, folder / "model") if path.is_dir()]
    found = {
        int(match[1]): path
        for place in places
        for path in place.iterdir()
        if (match := _NAME.fullmatch(path.name)) and path.is_dir()
    }
    return [Found(step, found[step]) for step in sorted(found) if step % every == 0]


def is_whole(one: Found) -> bool:
    """Whether it was written to its end: nothing is `lacking`."""
    return not lacking(one)


def lacking(one: Found) -> str:
    """Why it isn't written to its end; empty where it is: its weight files are as long as they say, its configuration
    is there, and so is the trainer's state, or nothing has changed for a while. One that is removed meanwhile isn't."""
    try:
        missing = _missing(one)
        if not missing and state_of(one) is None and not is_quiet(one):
            return f"no trainer_state.json that can be read, and it changed less than {QUIET:g} s ago"
    except (OSError, DataError) as error:
        return str(error)
    return missing


def _missing(one: Found) -> str:
    """What is missing of its files."""
    if not is_adapter(one):
        parts = [] if (one.path / "config.json").is_file() else ["there is no config.json"]
        return "; ".join([*parts, *incomplete_shards(one.path)])
    weights = one.path / "adapter_model.safetensors"
    if not weights.is_file():
        return "there is no adapter_model.safetensors"
    size, due = weights.stat().st_size, read_header(weights).size
    return "" if size == due else f"adapter_model.safetensors has {counted(size, 'byte')} instead of {due:,}"


Stamp = tuple[tuple[str, int, int], ...]
"""Names, sizes and times of change (in ns) of files."""


def stamp_of(one: Found) -> Stamp:
    """What changes whenever its files are written; empty where it's gone."""
    try:
        files = [(path.name, path.stat()) for path in one.path.iterdir() if path.is_file()]
    except OSError:
        return ()
    return tuple(sorted((name, found.st_size, found.st_mtime_ns) for name, found in files))


def weights_of(one: Found) -> str:
    """Hash of its weights and configuration; empty where they can't be read, as it is being written or removed."""
    try:
        return weights_hash(one.path)
    except (OSError, DataError, UsageError):
        return ""


def is_adapter(one: Found) -> bool:
    """Whether it holds a LoRA adapter alone."""
    return (one.path / "adapter_config.json").is_file()


def state_of(one: Found) -> TrainerState | None:
    """What the trainer wrote last; None where that isn't there or is torn."""
    try:
        return read_json(one.path / "trainer_state.json", TrainerState)
    except DataError:
        return None


class Schedule(NamedTuple):
    """Which checkpoints a training is to have."""

    apart: int
    """Steps from one to the next."""
    number: int
    """0: none of them is at such a step."""


def schedule_of(one: Found, every: int) -> Schedule | None:
    """The checkpoints to come whose step is a multiple of `every`, as the trainer says; None where it doesn't."""
    state = state_of(one)
    if state is None or state.max_steps < 1 or state.apart < 1:
        return None
    apart = math.lcm(state.apart, every)
    return Schedule(apart, state.max_steps // apart)


def training_ended(folder: Path) -> bool:
    """Whether a checkpoint of the training's last step is there."""
    return any(state.ended for one in found_in(folder, 1) if (state := state_of(one)) is not None)


def spec_of(template: str, one: Found) -> str:
    """The model spec of a checkpoint. Raises `UsageError` for an adapter where the spec wants a whole model."""
    if is_adapter(one) and "lora={}" not in template:
        base = _base_of(one)
        raise UsageError(
            f"{one.path} holds a LoRA adapter alone: name its base, as in --model 'hf:{base or 'BASE'},lora={{}}'"
        )
    if not is_adapter(one) and "lora={}" in template:
        raise UsageError(f"{one.path} holds no LoRA adapter: use --model '{template.partition(':')[0]}:{{}}'")
    return template.replace("{}", str(one.path.resolve()).replace(",", "\\,"))


class _AdapterConfig(msgspec.Struct, frozen=True):
    base_model_name_or_path: str = ""


def _base_of(one: Found) -> str:
    try:
        return read_json(one.path / "adapter_config.json", _AdapterConfig).base_model_name_or_path
    except DataError:
        return ""


def is_quiet(one: Found) -> bool:
    """Whether nothing in it has changed for a while; not so of one that is removed meanwhile."""
    try:
        changed = max((path.stat().st_mtime for path in one.path.iterdir()), default=one.path.stat().st_mtime)
    except OSError:
        return False
    return time.time() - changed >= QUIET
