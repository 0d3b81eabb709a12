"""Writes a training card and the `README.md` made of it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from egocross_eval.files import write_file
from egocross_eval.training.card import CARD_NAME, TrainingCard, as_options


def write_card(folder: Path, card: TrainingCard) -> None:
    """Writes the card and the `README.md` made of it."""
    text = json.dumps(msgspec.to_builtins(card), indent=2, ensure_ascii=False) + "\n"
    for name, content in ((CARD_NAME, text), ("README.md", readme(card))):
        write_file(folder / name, content)


def readme(card: TrainingCard) -> str:
    """The card in Markdown."""
    what = {"full": "Fully fine-tuned", "lora": "LoRA adapter", "merged": "LoRA adapter merged into its base"}[
        card.kind
    ]
    losses = card.loss or [(0, float("nan"))]
    rows = [
        ("base", f"{card.base or f'made by {card.base_made}'} ({card.base_revision[:16]})"),
        ("recipe", card.recipe),
        ("examples", f"{card.examples} ({', '.join(card.domains)}), {card.held_out} held out"),
        ("optimizer steps", str(card.steps)),
        ("loss", f"{losses[0][1]:.4f} at step {losses[0][0]}, {losses[-1][1]:.4f} at step {losses[-1][0]}"),
        ("time", f"{card.seconds / 60:.1f} minutes"),
        ("tokens in training and evaluation", card.parity),
        ("made", card.created_at),
    ]
    lines = [
        "---",
        "tags: [egocross]",
        "---",
        f"# {what} for EgoCross",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {_cell(text)} |" for name, text in rows),
        "",
        "Evaluate it as it was trained:",
        "",
        "```",
        f"egocross-eval --model {_spec(card)} --tasks all --data ROOT {' '.join(as_options(card.prompt))}",
        "```",
        "",
        "## Arguments",
        *(f"* `{name}`: {_cell(str(value))}" for name, value in card.arguments.items()),
        "",
        "## Data",
        *(f"* `{name}`: sha256 {digest}" for name, digest in card.data_hashes.items()),
        "",
        "## Versions",
        *(f"* {name} {version}" for name, version in card.versions.items()),
    ]
    if card.deviations:
        lines += ["", "## Where the recipe leaves the published values", *(f"* {text}" for text in card.deviations)]
    return "\n".join(lines) + "\n"


def _spec(card: TrainingCard) -> str:
    return f"hf:{card.base or 'BASE'},lora=THIS_FOLDER" if card.kind == "lora" else "hf:THIS_FOLDER"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
