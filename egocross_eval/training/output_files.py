"""Writes what LLaMA-Factory reads into the output folder, and says by a hash what a folder is for."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from egocross_eval.files import write_file
from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
from egocross_eval.training.dataset import (
    NAME,
    as_item,
    write_dataset,
    write_holdout,
)
from egocross_eval.training.frame_copies import FrameCopies
from egocross_eval.training.frame_sizes import processor_limits
from egocross_eval.training.planning import TrainPlan
from egocross_eval.training.trainer_config import zero_config

CONFIG_NAME = "config.yaml"
"""LLaMA-Factory's configuration in the output folder."""


def identity(plan: TrainPlan) -> str:
    """Hash of everything that decides what is learnt: a folder made with another one is never gone on with."""
    parts = [
        plan.checkpoint.source,
        {k: v for k, v in plan.recipe.arguments.items() if not k.startswith(("save_", "logging_", "plot_"))},
        [plan.launch.gpus * plan.launch.nodes, plan.launch.deepspeed],
        [msgspec.to_builtins(plan.prompt), plan.style_hash],
        [[example.question.key, list(example.question.options.values()), example.answer] for example in plan.trained],
    ]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What `write_files` wrote."""

    config: Path
    hashes: dict[str, str]
    """SHA-256 of the files read and of the dataset."""
    copied: int
    """Frames of which a scaled copy was made."""
    holdout: Path | None


def write_files(plan: TrainPlan) -> Written:
    """Writes dataset, held-out examples, DeepSpeed's file and LLaMA-Factory's configuration below the output."""
    import json

    import yaml

    output = plan.options.output.resolve()
    data = output / "data"
    arguments = plan.recipe.arguments
    frames = FrameCopies(
        data / "frames",
        processor_limits(plan.checkpoint),
        plan.renderer.settings.max_pixels,
        (int(arguments.get("image_min_pixels", 32 * 32)), int(arguments.get("image_max_pixels", 768 * 768))),
    )
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in plan.examples.files}
    hashes |= write_dataset(data, {NAME: [as_item(example, frames) for example in plan.trained]})
    held = plan.examples.holdout
    holdout = write_holdout(data, held, plan.examples.files) if held else None
    if plan.launch.deepspeed != "none":
        text = json.dumps(zero_config(plan.launch.deepspeed), indent=2)
        write_file(output / f"{plan.launch.deepspeed}.json", text + "\n")
    config = output / CONFIG_NAME
    write_file(config, yaml.safe_dump(plan.config, sort_keys=False, allow_unicode=True))
    return Written(config=config, hashes=hashes, copied=frames.copied, holdout=holdout)


def base_revision(checkpoint: Checkpoint) -> str:
    """Commit of a base on the Hub, or the hash of a folder."""
    if checkpoint.folder is None:
        return checkpoint.commit or ""
    from egocross_eval.model_adapters.checkpoints.identity import folder_hash

    return folder_hash(checkpoint.folder)
