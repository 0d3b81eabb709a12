"""Reads predictions files, as the challenge's and our own, as runs: answers without what the model wrote."""

from __future__ import annotations

from pathlib import Path

from egocross_eval.contracts.importer import ForeignAnswer, ForeignRun
from egocross_eval.scoring.predictions_file import read_predictions


def recognises(path: Path) -> bool:
    """Whether a file is called as predictions are, or is a zip archive such as a submission."""
    return path.is_file() and (path.suffix == ".zip" or (path.suffix == ".json" and "predictions" in path.name))


def read(path: Path) -> ForeignRun:
    """The run that a predictions file is; errors as `read_predictions` raises them."""
    entries = read_predictions(path)
    return ForeignRun(
        model=path.stem,
        spec=f"predictions:{path.name}",
        files=(path,),
        answers=[
            ForeignAnswer(place=f"{path.name}, entry {number}", question=entry.name, number=entry.id, text=entry.answer)
            for number, entry in enumerate(entries, 1)
        ],
    )
