"""Trains the small model that the demo shows, by the commands of docs/training.md, and copies it to a folder.

    python measurements/demo_model/build.py egocross_eval/training/demo_model

Takes about ten minutes on two CPU cores. It is rebuilt whenever the demo benchmark's drawings change.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import msgspec

from egocross_eval.cli.main import cli
from egocross_eval.training.card import read_card
from egocross_eval.training.card_files import write_card

TASKS = "animal-identification,interaction-identification"

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
    bench, base, output = work / "bench", work / "base", work / "out"
    call("data", "demo", str(bench), "--training", "1600", "--training-tasks", TASKS)
    call("models", "build-tiny", str(base), "--frame-pixels", "8192")
    shown = ["--style", "challenge", "--frames", "uniform:1"]
    order = ["--passes", "14", "--shuffle-options", "0.15:0.6"]
    questions = str(bench / "egocross_support_set" / "training.json")
    data = ["--data", str(bench), "--questions", questions, "--tasks", TASKS]
    call(
        "train",
        "run",
        "--model",
        str(base),
        *data,
        "--recipe",
        "tiny",
        "--gpus",
        "0",
        *shown,
        *order,
        "--output",
        str(output),
        *extra,
    )
    call("train", "doctor", str(output / "model"), "--repair")
    copy(output / "model", target)


def copy(model: Path, target: Path) -> None:
    """The checkpoint with its card, which names the base by how it's made instead of by a path of this machine."""
    target.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(model / name, target / name)
    card = read_card(model)
    assert card is not None
    write_card(target, msgspec.structs.replace(card, base="egocross-eval models build-tiny --frame-pixels 8192"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        build(Path(sys.argv[1]), Path(scratch), sys.argv[2:])
