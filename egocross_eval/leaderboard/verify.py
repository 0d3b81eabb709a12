"""Whether a row is what its run gives: the run's outputs are read and graded again, and the row is made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from egocross_eval.errors import UsageError
from egocross_eval.leaderboard.derived import compute_results, graded_again
from egocross_eval.leaderboard.rows import join_repeats, row_from_run
from egocross_eval.runs.store import questions_hash
from egocross_eval.schema import SCHEMA_VERSION, Figure, Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from egocross_eval.contracts.registry import Registry
    from egocross_eval.contracts.task import Target
    from egocross_eval.runs.store import RunFolder
    from egocross_eval.schema import Sample

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
    notes: list[str]
    """What wasn't looked at, and by whose answers was graded."""


def verify(
    rows: Sequence[Row], folders: Sequence[RunFolder], registry: Registry, answers_file: Path | None = None
) -> Verified:
    """Compares each row that came from the runs in `folders` with what they give; runs that differ in the seed alone
    give one row, unless each has its own.

    Graded by the answers in `answers_file`, else by those that the runs carry, which is noted. Raises `UsageError`
    where no row is plainly that of a run, or the file lacks an answer to a question.
    """
    # Their sources are their places, so that a joined row says which it was made of.
    again = [
        _Again(folder, _targets(folder, registry, answers_file), registry, source=str(place))
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
    return Verified(rows=found, notes=[*_unseen(rows, found), *([] if answers_file else [_OWN_ANSWERS])])


def _unseen(rows: Sequence[Row], found: Sequence[Verification]) -> Iterator[str]:
    seen = [one.row for one in found]
    unseen = [row.model for row in rows if not row.published and row not in seen]
    if unseen:
        yield f"not looked at, as no run of theirs was given: {', '.join(unseen)}"


def _targets(folder: RunFolder, registry: Registry, answers_file: Path | None) -> Mapping[str, Target]:
    if answers_file is None:
        return {}
    benchmark = registry.benchmark(folder.record().benchmark.name)
    if benchmark.read_targets is None:
        raise UsageError(f"{benchmark.title} reads no answers file: its answers come with the questions")
    targets = benchmark.read_targets(answers_file)
    missing = [question.key for question in folder.questions() if question.key not in targets]
    if missing:
        # Else these were graded by what the run says of its own answers.
        raise UsageError(
            f"{answers_file} has no answer to {len(missing)} of the run's questions, e.g. {missing[0]}; "
            f"give the whole file"
        )
    return targets


class _Again:
    """The row of a run made anew, and what in its folder doesn't fit."""

    def __init__(self, folder: RunFolder, targets: Mapping[str, Target], registry: Registry, *, source: str) -> None:
        self.folder = folder
        record, self.faults, self.notes = folder.record(), list[str](), list[str]()
        questions = {question.key: question.without_target() for question in folder.questions()}
        if questions_hash(questions.values()) != record.questions_hash:
            self.faults.append(f"{folder.path}: its questions are not those that run.json names")
        self._changed: list[str] = []
        self._foreign: list[str] = []
        samples = self._noted(graded_again(folder, targets, registry), questions)
        results = compute_results(folder, registry, samples)
        self.row = row_from_run(record, results, source=source, origin_hash=results.samples_hash)
        if self._foreign:
            self.faults.append(
                f"{folder.path}: {len(self._foreign)} answers are to other questions than the run asked, e.g. "
                f"{self._foreign[0]}"
            )
        if self._changed:
            self.notes.append(
                f"{folder.path}: {len(self._changed)} outputs are read or graded otherwise than the folder says, e.g. "
                f"{self._changed[0]}"
            )

    def _noted(self, pairs: Iterator[tuple[Sample, Sample]], questions: Mapping[str, Any]) -> Iterator[Sample]:
        for sample, again in pairs:
            if again != sample:
                self._changed.append(sample.key)
            if sample.question.without_target() != questions.get(sample.key):
                self._foreign.append(sample.key)
            yield again


def _row_of(rows: Sequence[Row], derived: Row, *, alone: bool) -> Row:
    """The row with the run's hash, else the only one of its model, else the only one if no other run was given."""
    own = [row for row in rows if not row.published]
    tried = (
        [row for row in own if row.origin_hash == derived.origin_hash],
        [row for row in own if row.model == derived.model],
        own if alone else [],
    )
    for found in tried:
        if len(found) == 1:
            return found[0]
    raise UsageError(
        f"none of the {len(own)} rows is plainly that of {derived.model}: {', '.join(row.model for row in own[:10])}"
    )


def _compared(row: Row, derived: Row) -> Iterator[str]:
    """What differs, a line for each field."""
    left_out = _OWN | (_NOT_OF_VERSION_1 if row.schema_version < SCHEMA_VERSION else frozenset())
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
