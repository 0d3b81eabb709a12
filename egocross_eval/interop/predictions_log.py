"""Reads predictions files, as the challenge's and our own, as runs: answers without what the model wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from egocross_eval.contracts.importer import ForeignAnswer, ForeignRun
from egocross_eval.counted import counted
from egocross_eval.errors import EgoCrossError, UsageError
from egocross_eval.interop.importing.entries import optional
from egocross_eval.interop.importing.glimpse import glimpse
from egocross_eval.interop.importing.options import told_options, told_target
from egocross_eval.scoring.predictions_file import MEMBER, PredictionEntry, raw_entries, read_predictions


def recognises(path: Path) -> bool:
    """Whether a file is a list of answers by question, a mapping of nothing but answers, or an archive of such a file,
    as a submission is."""
    seen = glimpse(path)
    if seen.kind == "archive":
        return seen.has(MEMBER) or (path.suffix == ".zip" and not seen.names)
    if seen.has("index", "prediction"):
        return False  # a table of VLMEvalKit, which calls the right answer `answer`
    if seen.kind == "list":
        named, answered = seen.names & {"question_id", "id"}, seen.names & {"answer", "mark"}
        return bool(named and answered)
    return seen.kind == "mapping" and _is_readable(path)


def _is_readable(path: Path) -> bool:
    try:
        return bool(read_predictions(path))
    except EgoCrossError:
        return False


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
