"""Reads predictions files, as the challenge's and our own, as runs: answers without what the model wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.contracts.importer import ForeignAnswer, ForeignRun
from egocross_eval.counted import counted
from egocross_eval.errors import EgoCrossError, UsageError
from egocross_eval.interop.importing.entries import optional
from egocross_eval.interop.importing.glimpse import glimpse
from egocross_eval.interop.importing.joining import Joined, join, listed_together
from egocross_eval.interop.importing.options import told_options, told_target
from egocross_eval.schema import Question
from egocross_eval.scoring.predictions_file import (
    MEMBER,
    PredictionEntry,
    raw_entries,
    read_answer,
    read_predictions,
)


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


def predictions_here(path: Path, questions: Sequence[Question]) -> tuple[list[PredictionEntry], Joined]:
    """The entries of a predictions file, held against the questions as `import` holds them.

    Where the file tells a question's words, options or right answer, entries to others are left out, and letters of
    options in another order become those of here; both are listed. Raises as `read_predictions`.
    """
    by_name = {str(question.id): question for question in questions} | {one.key: one for one in questions}
    kept, found = [], []
    for entry, raw in zip(read_predictions(path), raw_entries(path), strict=True):
        question = by_name.get(entry.name)
        if question is None:
            kept.append(entry)
            continue
        # Its question_id counts, as in the challenge, whatever id stands beside.
        joined = join([question], [msgspec.structs.replace(_answer(entry, raw, ""), number=None)])
        found.append(joined)
        if joined.answers:
            kept.append(_in_our_letters(entry, question, joined.reordered.get(question.key)))
    return kept, listed_together(found)


def _in_our_letters(entry: PredictionEntry, question: Question, shown: dict[str, str] | None) -> PredictionEntry:
    """An entry whose answer was given to the options as they were shown, if in another order."""
    label = read_answer(entry.answer, msgspec.structs.replace(question, options=shown)) if shown else None
    if shown is None or label is None:
        return entry
    own = next(own for own, text in question.options.items() if text == shown[label])
    return msgspec.structs.replace(entry, answer=own)


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
