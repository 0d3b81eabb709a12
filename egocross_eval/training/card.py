"""The training card: what a checkpoint was made of, and the evaluation settings that match it. Light to import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import msgspec

from egocross_eval.documents import explained, read_json
from egocross_eval.errors import DataError, UsageError
from egocross_eval.schema import RunSettings, Way
from egocross_eval.settings import Option, PromptSettings, options_of

CARD_NAME = "egocross_training.json"

CARD_VERSION = 2
"""Version 1, of 0.1, called what is now `prompt` and `style_hash` together `evaluation`."""


class TrainingCard(msgspec.Struct, frozen=True, kw_only=True):
    """`egocross_training.json` within a checkpoint or adapter."""

    card_version: int
    created_at: str
    base: str
    """The checkpoint it started from: a folder or a name on the Hub; empty where none is kept."""
    base_revision: str
    """Commit on the Hub, or hash of the folder."""
    kind: str
    """`full` or `lora`, or `merged` for a LoRA adapter merged into its base."""
    recipe: str
    deviations: list[str]
    arguments: dict[str, Any]
    launch: dict[str, Any]
    prompt: PromptSettings
    """How questions were shown, as a run that matches shows them."""
    style_hash: str = ""
    """Hash of the user's template file; empty for a named style."""
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
    base_made: str = ""
    """How to make the base anew, in words, where none is kept."""

    def known_base(self, folder: Path) -> str:
        """The base. Raises `UsageError` where the card, which is that of `folder`, names none."""
        if self.base:
            return self.base
        made = f"; it was made by: {self.base_made}" if self.base_made else ""
        raise UsageError(f"the card of {folder} names no base{made}; name one by --model")


def read_card(folder: Path) -> TrainingCard | None:
    """The card of a checkpoint or adapter folder; None where there's none.

    Raises `DataError` for one that can't be read, and for one of a later version.
    """
    path = folder / CARD_NAME
    if not path.is_file():
        return None
    content = read_json(path, dict[str, Any], what="training card")
    version = content.get("card_version")
    if isinstance(version, int) and version > CARD_VERSION:
        raise DataError(f"training card {path} is of version {version}, this package reads {CARD_VERSION}; update it")
    if version == 1 and isinstance(content.get("evaluation"), dict):
        shown = content.pop("evaluation")
        content |= {"card_version": CARD_VERSION, "style_hash": shown.pop("style_hash", ""), "prompt": shown}
    base = content.get("base")
    if isinstance(base, str) and _is_a_sentence(base):
        content |= {"base": "", "base_made": base}
    try:
        return msgspec.convert(content, TrainingCard, strict=False)
    except msgspec.ValidationError as error:
        raise DataError(f"training card {path}: {explained(error)}") from error


def _is_a_sentence(base: str) -> bool:
    """Whether it's no folder, which a card names from the root on, and no name on the Hub: some cards had how the base
    is made there."""
    return " " in base.strip() and not PurePosixPath(base).is_absolute() and not PureWindowsPath(base).is_absolute()


def as_options(prompt: PromptSettings) -> list[str]:
    """Settings as options of the command line: style and frames always, others where they aren't the default."""
    words = []
    for known in options_of(PromptSettings):
        value = getattr(prompt, known.field)
        if known.field in ("style", "frames") or value != known.default:
            words += [known.flag] if value is True else [known.flag, str(value)]
    return words


def warnings_for(folder: Path, settings: RunSettings) -> list[str]:
    """What a run with `settings` shows otherwise than training did; empty for a folder without a card."""
    card = read_card(folder)
    if card is None:
        return []
    ways = settings.asked()
    found = Counter(text for way in ways for text in _differences(card, way))
    differences = [text if count == len(ways) else f"for some questions {text}" for text, count in found.items()]
    if not differences:
        return []
    return [
        f"{folder} was trained on other prompts than this run shows ({', '.join(differences)}); "
        f"to match: {' '.join(as_options(card.prompt))}"
    ]


def _differences(card: TrainingCard, way: Way) -> Iterator[str]:
    """What questions that are asked in this way show otherwise than training did."""
    same_template = bool(card.style_hash) and card.style_hash == way.style_hash
    for known in options_of(PromptSettings):
        trained, asked = getattr(card.prompt, known.field), getattr(way.prompt, known.field)
        if trained != asked and not (known.field == "style" and same_template):
            yield _said(known, asked) + ("" if isinstance(trained, bool) else f" instead of {trained or 'none'}")
    if card.style_hash != way.style_hash and card.prompt.style == way.prompt.style:
        yield f"another template than the --style {card.prompt.style} of training"


def _said(known: Option, value: object) -> str:
    """A setting as the command line has it."""
    if value is None or value is False:
        return f"no {known.flag}"
    return known.flag if value is True else f"{known.flag} {value}"


def warnings_for_model(target: str, options: Mapping[str, Any], settings: RunSettings) -> list[str]:
    """As `warnings_for`, for the target of a model spec and its options (`lora=` names an adapter folder)."""
    folders = [Path(str(name)).expanduser() for name in (target, options.get("lora")) if name]
    return [warning for folder in folders if folder.is_dir() for warning in warnings_for(folder, settings)]
