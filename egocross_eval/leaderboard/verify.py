"""Whether a row is what its run gives: the run's outputs are read and graded again, and the row is made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from egocross_eval.contracts.faults import guarded_benchmark
from egocross_eval.contracts.task import DataOptions
from egocross_eval.counted import agreed, counted
from egocross_eval.errors import UsageError
from egocross_eval.leaderboard.derived import compute_results, graded_again
from egocross_eval.leaderboard.found_intervals import has_found_intervals, with_found_intervals
from egocross_eval.leaderboard.known_questions import KnownQuestions, known_questions, other_questions
from egocross_eval.leaderboard.rows import join_repeats, row_from_run
from egocross_eval.runs.store import questions_hash
from egocross_eval.schema import SCHEMA_VERSION, Figure, Row, asked_hash

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from egocross_eval.contracts.registry import Registry
    from egocross_eval.contracts.task import Target
    from egocross_eval.runs.store import RunFolder
    from egocross_eval.schema import Question, RunRecord, Sample

_OWN = frozenset({"schema_version", "source", "link", "published", "benchmark", "price", "currency"})
"""Fields that depend on who wrote or read the row, and where."""

_NOT_OF_VERSION_1 = frozenset({"low", "high", "interval", "clusters", "chance", "outcomes", "efficiency"})
"""Fields that version 0.1 found otherwise, or not at all."""


_OWN_ANSWERS = (
    "graded by the right answers in the run folder itself, which whoever sends it can change; give yours: --answers"
)


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    row: Row
    """The one that was looked at."""
    runs: list[str]
    """Folders of the runs that it was derived from."""
    differences: list[str]
    """In words; empty where the row is what its run gives."""
    notes: list[str]
    """What differs within the run, between what it says of its outputs and what they are read as now."""


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the rows of a file."""

    rows: list[Verification]
    """Those of which runs were given."""
    without_run: list[str]
    """Models of the rows of which no run was given: nothing is known of these."""
    notes: list[str]
    """By whose answers was graded, and what was not."""

    def holds(self, *, strict: bool) -> bool:
        """True where no row differs from what its run gives. `strict`: and none is without a run, and each run's
        folder says of its own outputs what they are read as."""
        if any(one.differences for one in self.rows):
            return False
        return not strict or not (self.without_run or any(one.notes for one in self.rows))


def verify(
    rows: Sequence[Row], folders: Sequence[RunFolder], registry: Registry, data: DataOptions | None = None
) -> Verified:
    """Compares each row that came from the runs in `folders` with what they give; runs that differ in the seed alone
    give one row, unless each has its own.

    Graded by the answers file of `data`, else by the answers that the runs carry, which is noted; figures are those of
    the benchmark as it is known here. The questions of each run are held against those that `data` names, else those
    that the benchmark is known to have. A row that claims no figure, as who made it knew no right answer, is held
    against its run as that is. Raises `UsageError` where no row is plainly that of a run, a run was judged, or the file
    lacks an answer to a question.
    """
    data = data or DataOptions()
    answers_file = data.answers_file
    _refuse_judged(folders)
    ungraded = {row.origin_hash for row in rows if not row.published and not row.answers_hash}
    # Their sources are their places, so that a joined row says which it was made of.
    again = [
        _Again(folder, _targets(folder, registry, answers_file, ungraded), data, registry, source=str(place))
        for place, folder in enumerate(folders)
    ]
    known = {row.origin_hash for row in rows if not row.published}
    derived = [one.row for one in again if one.row.origin_hash in known]
    derived += join_repeats([one.row for one in again if one.row.origin_hash not in known])
    found = []
    for made in derived:
        row = _row_of(rows, made, alone=len(derived) == 1)
        runs = [again[int(place)] for place in made.source.split(", ")]
        found.append(
            Verification(
                row=row,
                runs=[str(one.folder.path) for one in runs],
                differences=[*(fault for one in runs for fault in one.faults), *_compared(row, made)],
                notes=[note for one in runs for note in one.notes],
            )
        )
    return Verified(
        rows=found,
        without_run=_without_run(rows, found),
        notes=[*_ungraded(found), *_of_earlier_version(found), *([] if answers_file else [_OWN_ANSWERS])],
    )


def _refuse_judged(folders: Sequence[RunFolder]) -> None:
    for folder in folders:
        record = folder.record()
        if record.judged is not None:
            raise UsageError(
                f"{folder.path}: what {record.judge_title} said of the answers can't be derived anew; judge the run "
                f"yourself: egocross-eval judge {folder.path.parents[1]} --judge SPEC"
            )


def _without_run(rows: Sequence[Row], found: Sequence[Verification]) -> list[str]:
    seen = [one.row for one in found]
    return [row.model for row in rows if not row.published and row not in seen]


def _ungraded(found: Sequence[Verification]) -> Iterator[str]:
    models = [one.row.model for one in found if not one.row.answers_hash]
    if models:
        yield f"without figures, as no right answer was known: {', '.join(models)}; egocross-eval score grades the run"


def _of_earlier_version(found: Sequence[Verification]) -> Iterator[str]:
    models = [one.row.model for one in found if not has_found_intervals(one.row)]
    if models:
        yield f"intervals of an earlier version, which a board finds anew: {', '.join(models)}"


def _targets(
    folder: RunFolder, registry: Registry, answers_file: Path | None, ungraded: Container[str]
) -> Mapping[str, Target]:
    """Those to grade by; none for a run whose row claims no figure. The file must answer all questions of either."""
    if answers_file is None:
        return {}
    benchmark = registry.benchmark(folder.record().benchmark.name)
    if benchmark.read_targets is None:
        raise UsageError(f"{benchmark.title} reads no answers file: its answers come with the questions")
    with guarded_benchmark(benchmark, f"to read {answers_file} for the answers", registry):
        targets = benchmark.read_targets(answers_file)
    missing = [question.key for question in folder.questions() if question.key not in targets]
    if missing:
        # Else these were graded by what the run says of its own answers.
        raise UsageError(
            f"{answers_file} has no answer to {len(missing)} of the run's questions, e.g. {missing[0]}; "
            "give the whole file"
        )
    return {} if folder.samples_hash() in ungraded else targets


class _Again:
    """The row of a run made anew, and what in its folder doesn't fit."""

    def __init__(
        self,
        folder: RunFolder,
        targets: Mapping[str, Target],
        data: DataOptions,
        registry: Registry,
        *,
        source: str,
    ) -> None:
        self.folder = folder
        self.faults, self.notes = list[str](), list[str]()
        record = self._known_record(registry)
        questions = {question.key: question.without_target() for question in folder.questions()}
        if questions_hash(questions.values()) != record.questions_hash or len(questions) != record.question_count:
            self.faults.append(f"{folder.path}: its questions are not those that run.json names")
        self._hold(questions.values(), known_questions(record, registry, data))
        self._changed: list[str] = []
        self._foreign: list[str] = []
        samples = self._noted(graded_again(folder, targets, registry), questions)
        results = compute_results(folder, registry, samples, record=record)
        self.row = row_from_run(
            record,
            results,
            source=source,
            origin_hash=results.samples_hash,
            asked_hash=asked_hash(question.digest() for question in questions.values()),
        )
        if self._foreign:
            self.faults.append(
                f"{folder.path}: {counted(len(self._foreign), 'answer')} to other questions than the run asked, e.g. "
                f"{self._foreign[0]}"
            )
        if self._changed:
            self.notes.append(
                f"{folder.path}: {counted(len(self._changed), 'output')} "
                f"{agreed(len(self._changed), 'is', 'are')} read or graded otherwise than the folder says, e.g. "
                f"{self._changed[0]}"
            )

    def _hold(self, questions: Iterable[Question], known: KnownQuestions | None) -> None:
        """Holds the run's questions against those that are known."""
        if known is None:
            remedy = "name the file or data root that holds them by --questions or --data"
            self.notes.append(f"{self.folder.path}: nothing is known here of its questions; {remedy}")
            return
        self.faults += [f"{self.folder.path}: {fault}" for fault in other_questions(questions, known)]

    def _known_record(self, registry: Registry) -> RunRecord:
        """What the folder says of the run, with the benchmark as it's known here: groups are the benchmark's to say."""
        record = self.folder.record()
        known = registry.benchmark(record.benchmark.name)
        if record.benchmark != known.record():
            self.notes.append(f"{self.folder.path}: run.json describes {known.title} otherwise than is known here")
        if record.settings.grader != known.grader:
            self.faults.append(
                f"{self.folder.path}: graded by {record.settings.grader!r}, and {known.title} is graded by "
                f"{known.grader!r}"
            )
        return msgspec.structs.replace(record, benchmark=known.record())

    def _noted(self, pairs: Iterator[tuple[Sample, Sample]], questions: Mapping[str, Any]) -> Iterator[Sample]:
        for sample, again in pairs:
            if _as_graded(again) != _as_graded(sample):
                self._changed.append(sample.key)
            if sample.question.without_target() != questions.get(sample.key):
                self._foreign.append(sample.key)
            yield again


def _as_graded(sample: Sample) -> tuple[object, ...]:
    """What was read and how it was graded, whatever else answers say of the right one."""
    return sample.question.target, sample.answers, sample.decision, sample.grade


def _row_of(rows: Sequence[Row], derived: Row, *, alone: bool) -> Row:
    """The row with the run's hash, else the only one of its model, else the only one if no other run was given."""
    own = [row for row in rows if not row.published]
    if not own:
        raise UsageError("there is no row to verify: the file holds no row of a run")
    tried = (
        [row for row in own if row.origin_hash == derived.origin_hash],
        [row for row in own if row.model == derived.model],
        own if alone else [],
    )
    for found in tried:
        if len(found) == 1:
            return found[0]
    raise UsageError(
        f"none of the rows ({len(own)}) is plainly that of {derived.model}: {', '.join(row.model for row in own[:10])}"
    )


def _compared(row: Row, derived: Row) -> Iterator[str]:
    """What differs, a line for each field. Intervals follow from the outcomes, so they're those of this version."""
    row, derived = with_found_intervals(row), with_found_intervals(derived)
    left_out = _OWN | (_NOT_OF_VERSION_1 if row.schema_version < SCHEMA_VERSION else frozenset())
    if not row.asked_hash:  # as in rows that were written before there was one
        left_out |= {"asked_hash"}
    for field in msgspec.structs.fields(Row):
        one, other = getattr(row, field.name), getattr(derived, field.name)
        if field.name in left_out or _plain(one, left_out) == _plain(other, left_out):
            continue
        if field.name == "parts":
            for name in dict.fromkeys((*one, *other)):
                if _plain(one.get(name), left_out) != _plain(other.get(name), left_out):
                    yield f"{name}: {_shown(one.get(name))} in the row, {_shown(other.get(name))} from the run"
        elif field.name == "outcomes":
            yield "outcomes: not those of the run"
        else:
            yield f"{field.name}: {_shown(one)} in the row, {_shown(other)} from the run"


def _plain(value: Any, left_out: frozenset[str]) -> Any:
    """Without what is left out, and numbers as far as machines agree on them."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, dict):
        return {name: _plain(entry, left_out) for name, entry in value.items() if name not in left_out}
    return value


def _shown(value: Any) -> str:
    if isinstance(value, Figure):
        ends = f"{value.low:.2%} to {value.high:.2%}"
        return f"{value.accuracy:.2%} ({value.right} of {value.n} right, {ends})"
    if isinstance(value, dict):
        return ", ".join(f"{name} {entry}" for name, entry in value.items()) or "nothing"
    return "nothing" if value in (None, "") else str(value)
