"""Scores a predictions file from anywhere: the challenge's list, or a dict by id.

Entries are joined to questions on question_id, else on id, never by position. An answer is read as the challenge's
scorer does: a letter, else the text of an option.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from egocross_eval.documents import decode_json, refuse_repeated_keys
from egocross_eval.errors import UsageError
from egocross_eval.files import read_bytes
from egocross_eval.schema import Decision, Grade
from egocross_eval.scoring.marks import marks_of
from egocross_eval.scoring.results import Judged, results_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egocross_eval.contracts.grader import Grader
    from egocross_eval.schema import BenchmarkRecord, Question, Results


_LARGEST = 64 * 1024 * 1024
"""Most bytes of a predictions file within an archive."""

MEMBER = "predictions.json"
"""Name of the predictions within an archive."""

_NAMED = 10


class PredictionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a predictions file. At least one of `question_id` and `id` is set."""

    question_id: str | None = None
    id: int | None = None
    answer: str = ""
    """As written; empty where the file has null or an empty text."""
    mark: float | None = None
    """A judge's mark of a free answer, from 0 to 5."""

    @property
    def name(self) -> str:
        """What the entry says it's for."""
        return self.question_id if self.question_id is not None else str(self.id)


class PredictionReport(msgspec.Struct, frozen=True, kw_only=True):
    """What didn't fit when predictions were joined to questions; all by question_id, or by id where that's all there
    is."""

    matched: int
    missing: tuple[str, ...] = ()
    """Questions without an entry."""
    unknown: tuple[str, ...] = ()
    """Entries for no known question; they're left out."""
    duplicate: tuple[str, ...] = ()
    """Questions with more than one entry, all with the same answer; counted once."""
    mismatched: tuple[str, ...] = ()
    """Entries whose id is that of another question than their question_id; the latter counts, as in the challenge."""
    unreadable: tuple[str, ...] = ()
    """Questions whose answer is empty, or neither a letter nor the text of an option; not parsed, so wrong."""
    spelled: tuple[str, ...] = ()
    """Questions whose answer is the text of an option in place of its letter."""

    def lines(self) -> list[str]:
        """One line for each thing to know, naming the first questions."""
        kinds = {
            "questions without a prediction": self.missing,
            "predictions for no known question, left out": self.unknown,
            "questions predicted more than once, with the same answer": self.duplicate,
            "predictions with the id of another question, joined on question_id": self.mismatched,
            "answers that are neither a letter nor an option": self.unreadable,
            "answers that are the text of an option, taken for its letter": self.spelled,
        }
        return [f"{kind}: {len(names)} ({name_some(names)})" for kind, names in kinds.items() if names]


def read_predictions(path: Path) -> list[PredictionEntry]:
    """Entries of a JSON file, or of `predictions.json` in a zip.

    Forms: a list of objects with `answer` and `question_id` or `id`; a dict from question_id or id to the answer, or
    to an object with `answer`. Raises `UsageError` naming the file and the entry for anything else.
    """
    content = _content(path)
    data = decode_json(content, Any, str(path))
    if isinstance(data, dict):
        refuse_repeated_keys(content, str(path))
        return [_from_pair(path, name, value) for name, value in data.items()]
    if isinstance(data, list):
        return [_from_object(path, f"entry {number}", value) for number, value in enumerate(data, 1)]
    raise UsageError(f"{path}: expected a list of predictions or a dict by question_id, not {type(data).__name__}")


def raw_entries(path: Path) -> list[Any]:
    """The entries as they stand in the file, in the order of `read_predictions`; for a file that it reads."""
    data: Any = decode_json(_content(path), Any, str(path))
    return list(data.values()) if isinstance(data, dict) else data if isinstance(data, list) else []


def _content(path: Path) -> bytes:
    content = read_bytes(path, limit=_LARGEST)
    if path.suffix.lower() != ".zip" and not content.startswith(b"PK\x03\x04"):
        return content
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            member = archive.getinfo(MEMBER)
            if member.file_size > _LARGEST:
                raise UsageError(f"{path}: predictions.json is larger than {_LARGEST} bytes")
            return archive.read(member)
    except KeyError:
        raise UsageError(f"{path} holds no predictions.json") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise UsageError(f"{path} is no readable zip archive; make it again") from error


def _from_pair(path: Path, name: str, value: Any) -> PredictionEntry:
    if isinstance(value, dict):
        if "answer" not in value:
            raise UsageError(f"{path}: {name!r} has no 'answer'")
        value = value["answer"]
    answer = _answer_text(path, repr(name), value)
    if name.isascii() and name.isdigit():
        return PredictionEntry(id=int(name), answer=answer)
    return PredictionEntry(question_id=name, answer=answer)


def _from_object(path: Path, place: str, value: Any) -> PredictionEntry:
    if not isinstance(value, dict):
        raise UsageError(f"{path}: {place} is no object")
    name, number = value.get("question_id"), value.get("id")
    if isinstance(number, str) and number.isascii() and number.isdigit():
        number = int(number)
    if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
        raise UsageError(f"{path}: {place}: id must be a whole number, not {number!r}")
    if name is not None and not isinstance(name, str):
        raise UsageError(f"{path}: {place}: question_id must be text, not {name!r}")
    if not name and number is None:
        raise UsageError(f"{path}: {place} has neither question_id nor id")
    where = f"{place} ({name or number})"
    mark = _mark(path, where, value.get("mark"))
    said = value.get("answer", value.get("prediction") if mark is not None else None)
    if "answer" not in value and mark is None:
        raise UsageError(f"{path}: {where} has no 'answer'")
    return PredictionEntry(question_id=name or None, id=number, answer=_answer_text(path, where, said), mark=mark)


def _mark(path: Path, place: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 5:
        raise UsageError(f"{path}: {place}: mark is {value!r}; it must be a number from 0 to 5")
    return float(value)


def _answer_text(path: Path, place: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise UsageError(f"{path}: {place}: the answer must be text, not {type(value).__name__}")


def read_answer(answer: str, question: Question) -> str | None:
    """The letter that an answer stands for: a letter in either case, else the exact text of an option, with or without
    its `A: ` label; surrounding space and case are ignored. None if it's neither."""
    text = " ".join(answer.split()).casefold()
    for letter in question.options:
        if text == letter.casefold():
            return letter
    for letter, option in question.options.items():
        plain = " ".join(option.split()).casefold()
        if text and text in (plain, f"{letter.casefold()}: {plain}"):
            return letter
    return None


def score_predictions(
    questions: Sequence[Question],
    predictions: Path | Iterable[PredictionEntry],
    benchmark: BenchmarkRecord,
    grader: Grader,
    *,
    threshold: float = 4.0,
) -> tuple[Results, PredictionReport]:
    """Results of a predictions file over `questions` (with their answers), and what didn't fit.

    Free answers that carry a judge's mark are right from the `threshold` on, whatever the grader makes of them.
    A question without an entry counts neither right nor wrong but stays in n; the results are then incomplete. Raises
    `UsageError` if two entries for one question differ, for then nobody can say which is meant.
    """
    entries = read_predictions(predictions) if isinstance(predictions, Path) else list(predictions)
    answers, unknown, duplicate, mismatched = _join(questions, entries)
    judged: list[Judged] = []
    missing, unreadable, spelled, marks = [], [], [], []
    for question in questions:
        chance = grader.chance(question)
        if question.key not in answers:
            missing.append(question.key)
            judged.append(Judged(question, "missing", 0.0, chance))
            continue
        answer, mark = answers[question.key].answer, answers[question.key].mark
        if mark is not None and not question.options:
            grade = Grade(outcome="right" if mark >= threshold else "wrong", credit=float(mark >= threshold), mark=mark)
            marks.append(mark)
        else:
            grade = grader.grade(question, _decision(answer, question))
        if _spells_an_option(answer, question):
            spelled.append(question.key)
        if grade.outcome == "not_parsed":
            unreadable.append(question.key)
        judged.append(Judged(question, grade.outcome, grade.credit, chance))
    report = PredictionReport(
        matched=len(answers),
        missing=tuple(missing),
        unknown=tuple(unknown),
        duplicate=tuple(duplicate),
        mismatched=tuple(mismatched),
        unreadable=tuple(unreadable),
        spelled=tuple(spelled),
    )
    results = results_of(judged, benchmark, total=len(questions))
    return (msgspec.structs.replace(results, judge=marks_of(marks)) if marks else results), report


def _spells_an_option(answer: str, question: Question) -> bool:
    label = read_answer(answer, question)
    return label is not None and answer.strip().casefold() != label.casefold()


def _decision(answer: str, question: Question) -> Decision:
    if not question.options:
        return Decision(text=answer) if answer.strip() else Decision(reason="empty")
    label = read_answer(answer, question)
    return Decision(label=label) if label else Decision(reason="no_answer")


def _join(
    questions: Sequence[Question], entries: Iterable[PredictionEntry]
) -> tuple[dict[str, PredictionEntry], list[str], list[str], list[str]]:
    """Entries by question_id; names of unknown entries, of duplicates and of mismatched ids."""
    by_name = {question.key: question for question in questions}
    by_id = {question.id: question for question in questions}
    if len(by_id) != len(questions) or len(by_name) != len(questions):
        raise UsageError("the questions to score against don't have unique ids; give those of one split")
    answers: dict[str, PredictionEntry] = {}
    unknown: list[str] = []
    duplicate: list[str] = []
    mismatched: list[str] = []
    contradictory: list[str] = []
    for entry in entries:
        if entry.question_id is not None:
            question = by_name.get(entry.question_id)
        else:
            question = by_id.get(entry.id) if entry.id is not None else None
        if question is None:
            unknown.append(entry.name)
            continue
        name = question.key
        if entry.id is not None and entry.id != question.id:
            mismatched.append(name)
        if name in answers:
            same = _said(answers[name], question) == _said(entry, question)
            (duplicate if same else contradictory).append(name)
        answers.setdefault(name, entry)
    if contradictory:
        raise UsageError(f"different predictions for the same question: {name_some(contradictory)}; keep one of each")
    return answers, unknown, list(dict.fromkeys(duplicate)), mismatched


def _said(entry: PredictionEntry, question: Question) -> tuple[str | None, float | None]:
    """What two entries for a question must share to be the same prediction."""
    return (read_answer(entry.answer, question) if question.options else entry.answer), entry.mark


def name_some(names: Sequence[str]) -> str:
    """The first of `names`, and how many more there are."""
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown
