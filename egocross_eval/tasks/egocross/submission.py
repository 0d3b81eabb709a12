"""The challenge's submission: `predictions.json` in `submission.zip`, validated before it's written."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from typing import TYPE_CHECKING, TypedDict

import msgspec

from egocross_eval.counted import agreed, counted
from egocross_eval.errors import UsageError
from egocross_eval.files import make_parent, write_file
from egocross_eval.scoring.predictions_file import name_some
from egocross_eval.tasks.egocross.catalogue import CELLS, LETTERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from egocross_eval.contracts.exporter import ExportedRun
    from egocross_eval.schema import Sample

MEMBER = "predictions.json"
"""Name of the file within the archive."""


class Entry(TypedDict):
    """One prediction as the challenge's scorer reads it. An empty answer is none: it counts as wrong."""

    id: int
    question_id: str
    dataset: str
    answer: str


class SubmissionReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a submission holds."""

    questions: int
    answered: int
    empty: tuple[str, ...] = ()
    """question_ids whose answer is left empty."""

    def __str__(self) -> str:
        """One line for people."""
        text = f"{self.answered} of {self.questions} questions answered"
        return f"{text}, {len(self.empty)} left empty ({name_some(self.empty)})" if self.empty else text


def prediction_entries(samples: Iterable[Sample]) -> list[Entry]:
    """Entries in id order. Where no letter was read, or the question failed, the answer is empty: none is made up."""
    entries = [
        Entry(
            id=sample.question.id,
            question_id=sample.question.key,
            dataset=sample.question.label("dataset"),
            answer=sample.grade.prediction or "",
        )
        for sample in samples
    ]
    return sorted(entries, key=lambda entry: entry["id"])


class SubmissionOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of the form `submission`."""

    allow_unanswered: bool = False
    """Leave the answer of questions without a letter empty instead of refusing."""
    rehearse: bool = False
    """Write the file for a run of other questions of the benchmark, such as the demo's, with the same checks."""


def export(run: ExportedRun, path: Path, options: SubmissionOptions) -> str:
    """Writes the submission of a run, or what it would be of a run of other questions; see `write_submission`."""
    if not options.rehearse:
        report = write_submission(run.samples, path, allow_unanswered=options.allow_unanswered)
        return f"wrote {path}: {report}"
    asked = Counter(sample.question.label("dataset") for sample in run.samples)
    if asked.total() != run.record.question_count:
        raise UsageError(
            f"{run.name} has {asked.total()} of {counted(run.record.question_count, 'answer')}: finish the run first"
        )
    report = write_submission(run.samples, path, allow_unanswered=options.allow_unanswered, expected=asked)
    return f"wrote {path}, a rehearsal: {report}; the challenge takes the testbed's {_TESTBED.total()} alone"


def write_predictions(samples: Iterable[Sample], path: Path) -> None:
    """Writes the entries of `samples` as a JSON list."""
    write_file(path, _json(prediction_entries(samples)))


_TESTBED = Counter[str]()
for _cell in CELLS:
    _TESTBED[_cell.dataset] += _cell.count


def write_submission(
    samples: Sequence[Sample],
    zip_path: Path,
    *,
    allow_unanswered: bool = False,
    expected: Counter[str] = _TESTBED,
) -> SubmissionReport:
    """Writes `submission.zip` with the predictions for the whole testbed, or for as many questions by dataset as
    `expected`. The same samples give the same bytes.

    Raises `UsageError` naming the questions if the samples aren't those of all 957 questions, or if some have no
    letter; `allow_unanswered` leaves the latter empty instead.
    """
    entries = prediction_entries(samples)
    check_entries(entries, expected)
    empty = tuple(entry["question_id"] for entry in entries if not entry["answer"])
    if empty and not allow_unanswered:
        raise UsageError(
            f"{len(empty)} of {counted(len(entries), 'question')} {agreed(len(empty), 'has', 'have')} no letter "
            f"({name_some(empty)}); run the same command again "
            "to ask failed questions, or leave them empty with --allow-unanswered (they count as wrong)"
        )
    make_parent(zip_path)
    write_file(zip_path, _archive(_json(entries)))
    return SubmissionReport(questions=len(entries), answered=len(entries) - len(empty), empty=empty)


def check_entries(entries: Sequence[Entry], expected: Counter[str] = _TESTBED) -> None:
    """Raises `UsageError` unless the entries are those of the testbed, each once, in id order, with letters or
    nothing; `expected` are the numbers of questions by dataset."""
    total = expected.total()
    found = Counter(entry["id"] for entry in entries)
    twice = [str(number) for number, count in found.items() if count > 1]
    if twice:
        raise UsageError(f"questions occur more than once: id {name_some(twice)}")
    missing = [str(number) for number in range(1, total + 1) if number not in found]
    if missing or len(found) != total:
        whole, then = f"a submission holds all {counted(total, 'question')} of the testbed", ""
        if expected != _TESTBED:
            whole = f"a rehearsal takes a run of all questions of a benchmark, id 1 to {max((total, *found))}"
        else:
            then = ", or try the way with other questions: --rehearse"
        missing = [str(number) for number in range(1, max((total, *found)) + 1) if number not in found]
        raise UsageError(
            f"{whole}; here are {len(found)}"
            + (f", without id {name_some(missing)}" if missing else "")
            + f"; run all tasks, without --limit, first{then}"
        )
    if [entry["id"] for entry in entries] != sorted(found):
        raise UsageError("the entries are not in id order")
    if Counter(entry["dataset"] for entry in entries) != expected:
        raise UsageError("these are not the testbed's questions: the numbers of questions by dataset differ")
    if len({entry["question_id"] for entry in entries}) != total:
        raise UsageError("two questions share one question_id")
    wrong = [entry["question_id"] for entry in entries if entry["answer"] not in (*LETTERS, "")]
    if wrong:
        raise UsageError(f"answers must be one of {', '.join(LETTERS)}: {name_some(wrong)}")


def _json(entries: Sequence[Entry]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(entries), indent=2) + b"\n"


def _archive(content: bytes) -> bytes:
    """A zip of the one member, with a fixed time and mode."""
    out = io.BytesIO()
    member = zipfile.ZipInfo(MEMBER, date_time=(1980, 1, 1, 0, 0, 0))
    member.compress_type = zipfile.ZIP_DEFLATED
    member.create_system = 3
    member.external_attr = 0o644 << 16
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(member, content)
    return out.getvalue()
