"""Reads predictions files, as the challenge's and our own, as runs: answers without what the model wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from egocross_eval.contracts.importer import ForeignAnswer, ForeignRun
from egocross_eval.counted import counted
from egocross_eval.errors import UsageError
from egocross_eval.interop.importing.entries import optional
from egocross_eval.interop.importing.options import told_options, told_target
from egocross_eval.scoring.predictions_file import PredictionEntry, raw_entries, read_predictions


def recognises(path: Path) -> bool:
    """Whether a file is called as predictions are, or is a zip archive such as a submission."""
    return path.is_file() and (path.suffix == ".zip" or (path.suffix == ".json" and "predictions" in path.name))


def read(path: Path) -> ForeignRun:
    """The run that a predictions file is; errors as `read_predictions` raises them, and `UsageError` where no entry has
    an answer."""
    entries = read_predictions(path)
    if not any(entry.answer.strip() for entry in entries):
        raise UsageError(f"{path}: none of its {counted(len(entries), 'entry', 'entries')} has an answer")
    return ForeignRun(
        model=path.stem,
        spec=f"predictions:{path.name}",
        files=(path,),
        answers=[
            _answer(entry, raw, f"{path.name}, entry {number}")
            for number, (entry, raw) in enumerate(zip(entries, raw_entries(path), strict=True), 1)
        ],
    )


def _answer(entry: PredictionEntry, raw: Any, where: str) -> ForeignAnswer:
    fields: dict[str, Any] = raw if isinstance(raw, dict) else {}
    return ForeignAnswer(
        place=where,
        question=entry.name,
        number=entry.id,
        text=entry.answer,
        prompt=optional(fields, "question_text", str, "") or optional(fields, "question", str, ""),
        options=told_options(fields),
        target=told_target(fields.get("correct_answer")),
    )
