"""Trains the small model that the demo shows, by the commands of docs/training.md, and copies it to a folder.

    python measurements/demo_model/build.py egocross_eval/training/demo_model

Takes about half an hour on two CPU cores. It is rebuilt whenever the demo benchmark's drawings change.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import msgspec

from egocross_eval.cli.main import cli
from egocross_eval.training.card import read_card
from egocross_eval.training.card_files import write_card

FIRST = ("animal-identification", "interaction-identification")
TASKS = (
    *FIRST,
    "next-interaction-prediction",
    "sport-identification",
    "special-action-identification",
    "next-action-prediction",
    "next-phase-prediction",
)
"""What one frame shows, in every domain."""


class Stage(NamedTuple):
    """One training, which goes on from the model of the one before."""

    tasks: tuple[str, ...]
    examples: int
    passes: int
    shuffled: str
    """As of `--shuffle-options`."""


# All types at once aren't learnt from random weights in this time; once two are, the others are.
STAGES = (
    Stage(FIRST, 1600, 14, "0.15:0.6"),
    Stage(TASKS, 4900, 10, "0.15:0.6"),
    Stage(TASKS, 4900, 10, "0.3:0.6"),
)

FILES = (
    "chat_template.jinja",
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
)


def call(*words: str) -> None:
    print("$ egocross-eval", *words, flush=True)
    code = cli.main(args=list(words), prog_name="egocross-eval", standalone_mode=False)
    if code:
        sys.exit(code)


def build(target: Path, work: Path, extra: list[str]) -> None:
    model = work / "base"
    call("models", "build-tiny", str(model), "--frame-pixels", "8192")
    for number, stage in enumerate(STAGES, 1):
        model = trained(stage, model, work / f"stage-{number}", extra)
    copy(model, target)


def trained(stage: Stage, model: Path, place: Path, extra: list[str]) -> Path:
    """The checkpoint of a stage."""
    bench, output, tasks = place / "bench", place / "out", ",".join(stage.tasks)
    call("data", "demo", str(bench), "--training", str(stage.examples), "--training-tasks", tasks)
    questions = str(bench / "egocross_support_set" / "training.json")
    data = ["--data", str(bench), "--questions", questions, "--tasks", tasks]
    shown = ["--recipe", "tiny", "--gpus", "0", "--style", "challenge", "--frames", "uniform:1"]
    order = ["--passes", str(stage.passes), "--shuffle-options", stage.shuffled]
    call("train", "run", "--model", str(model), *data, *shown, *order, "--output", str(output), *extra)
    call("train", "doctor", str(output / "model"), "--repair")
    return output / "model"


def copy(model: Path, target: Path) -> None:
    """The checkpoint with its card, which says how the base is made: what it was trained from isn't kept."""
    target.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(model / name, target / name)
    card = read_card(model)
    assert card is not None
    stages = f"stages 1 to {len(STAGES) - 1} of make demo-model"
    made = f"egocross-eval models build-tiny BASE --frame-pixels 8192, and {stages}"
    write_card(target, msgspec.structs.replace(card, base="", base_made=made))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        build(Path(sys.argv[1]), Path(scratch), sys.argv[2:])
