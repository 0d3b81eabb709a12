"""The training card: what a checkpoint was made of, and the evaluation settings that match it. Light to import."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.documents import read_json

CARD_NAME = "egocross_training.json"

CARD_VERSION = 1

MATCHED = ("style", "style_hash", "frames", "media", "timestamps", "max_pixels")
"""Fields of `RunSettings` that a training decides."""


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a run that show questions as they were trained on."""

    style: str
    style_hash: str = ""
    frames: str = "all"
    media: str = "images"
    timestamps: bool = False
    max_pixels: int | None = None

    def options(self) -> list[str]:
        """The same as options of the command line."""
        words = ["--style", self.style, "--frames", self.frames]
        if self.timestamps:
            words.append("--timestamps")
        if self.max_pixels is not None:
            words += ["--max-pixels", str(self.max_pixels)]
        return words


class TrainingCard(msgspec.Struct, frozen=True, kw_only=True):
    """`egocross_training.json` within a checkpoint or adapter."""

    card_version: int
    created_at: str
    base: str
    """The checkpoint it started from: a folder or a name on the Hub."""
    base_revision: str
    """Commit on the Hub, or hash of the folder."""
    kind: str
    """`full` or `lora`, or `merged` for a LoRA adapter merged into its base."""
    recipe: str
    deviations: list[str]
    arguments: dict[str, Any]
    launch: dict[str, Any]
    evaluation: Evaluation
    examples: int
    held_out: int
    domains: list[str]
    curriculum: dict[str, Any]
    data_hashes: dict[str, str]
    """SHA-256 by file of what was read and of the dataset that was written."""
    parity: str
    """What the comparison of tokens found."""
    steps: int
    seconds: float
    loss: list[tuple[int, float]]
    """(step, loss) as logged."""
    versions: dict[str, str]


def read_card(folder: Path) -> TrainingCard | None:
    """The card of a checkpoint or adapter folder; None where there's none.

    Raises `UsageError` for one that can't be read.
    """
    path = folder / CARD_NAME
    if not path.is_file():
        return None
    return read_json(path, TrainingCard, what="training card")


def warnings_for(folder: Path, settings: Any) -> list[str]:
    """What a run with `settings` (a `RunSettings` or anything with its fields) shows otherwise than training did.

    Empty for a folder without a card.
    """
    card = read_card(folder)
    if card is None:
        return []
    differences = []
    for name in MATCHED:
        owner = settings if name == "style_hash" else settings.prompt
        trained, asked = getattr(card.evaluation, name), getattr(owner, name)
        if trained != asked and not (
            name == "style" and card.evaluation.style_hash and card.evaluation.style_hash == settings.style_hash
        ):
            option = "--" + name.replace("_", "-")
            differences.append(f"{option} {asked} instead of {trained}")
    if not differences:
        return []
    return [
        f"{folder} was trained on other prompts than this run shows ({', '.join(differences)}); "
        f"to match: {' '.join(card.evaluation.options())}"
    ]


def warnings_for_model(target: str, options: Mapping[str, Any], settings: Any) -> list[str]:
    """As `warnings_for`, for the target of a model spec and its options (`lora=` names an adapter folder)."""
    folders = [Path(str(name)).expanduser() for name in (target, options.get("lora")) if name]
    return [warning for folder in folders if folder.is_dir() for warning in warnings_for(folder, settings)]
