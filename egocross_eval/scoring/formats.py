"""The open and the closed format of the same questions, answered by the same model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from egocross_eval.schema import BenchmarkRecord, Question, Sample
from egocross_eval.scoring.clustered_mean import Estimate, clustered_mean
from egocross_eval.scoring.results import SCORED


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """A group of questions in both formats."""

    name: str
    n: int
    closed: float
    open: float
    difference: Estimate
    """Open less closed."""
    both: int
    closed_only: int
    """Right among options and wrong without: what may have been guessed."""
    open_only: int
    neither: int


class Formats(msgspec.Struct, frozen=True, kw_only=True):
    """Free answers beside those among options."""

    judge: str
    rows: list[Beside]
    """All questions first, then groups."""


class _Pair(NamedTuple):
    question: Question
    closed: Sample
    open: Sample


def beside(closed: Sequence[Sample], opened: Sequence[Sample], benchmark: BenchmarkRecord) -> list[Beside]:
    """All questions that are scored in both formats together, then by group of the macro axis, question type and need
    of options."""
    known = {sample.key: sample for sample in closed if sample.outcome in SCORED and sample.question.target is not None}
    pairs = [
        _Pair(sample.question, known[sample.key], sample)
        for sample in opened
        if sample.key in known and sample.outcome in SCORED
    ]
    if not pairs:
        return []
    found = [_beside("all questions", pairs, benchmark)]
    for grouping in benchmark.groupings:
        if len(grouping.labels) > 1 or grouping.name in ("category", "dataset"):
            continue
        members: dict[str, list[_Pair]] = {}
        for pair in pairs:
            members.setdefault(grouping.group(pair.question), []).append(pair)
        found += [
            _beside(grouping.groups.get(name, name), members[name], benchmark) for name in grouping.ordered(members)
        ]
    return found


def _beside(name: str, pairs: Sequence[_Pair], benchmark: BenchmarkRecord) -> Beside:
    closed, opened = ([getattr(pair, field).grade.credit for pair in pairs] for field in ("closed", "open"))
    clusters = [pair.question.cluster or pair.question.key for pair in pairs]
    parts = [benchmark.part(pair.question) for pair in pairs]
    changes = [after - before for before, after in zip(closed, opened, strict=True)]
    found: Mapping[tuple[bool, bool], int] = Counter(
        (pair.closed.outcome == "right", pair.open.outcome == "right") for pair in pairs
    )
    return Beside(
        name=name,
        n=len(pairs),
        closed=sum(closed) / len(pairs),
        open=sum(opened) / len(pairs),
        difference=clustered_mean(changes, clusters, parts, least_error=1 / len(pairs)).within(-1.0, 1.0),
        both=found[True, True],
        closed_only=found[True, False],
        open_only=found[False, True],
        neither=found[False, False],
    )
