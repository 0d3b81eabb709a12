"""The best of several runs for each group of questions, as chosen on other data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from egocross_eval.combining.parts import Part, read_parts, refuse_other_ways
from egocross_eval.counted import counted
from egocross_eval.errors import UsageError, unknown
from egocross_eval.schema import BenchmarkRecord, Question
from egocross_eval.scoring.results import SCORED
from egocross_eval.scoring.shrinkage import Shrunk, shrunk


class Choice(NamedTuple):
    """Which part answers which group."""

    by_group: dict[str, Part]
    """By group; the part under the empty name answers the groups that the other data don't have."""
    runs: list[Part]
    """What it was chosen on."""
    gain: float
    """By how much the choice is expected to be better than the best single part, as a fraction of 1."""
    apparent: float
    """By how much it looks better."""


def grouping_named(name: str, benchmark: BenchmarkRecord) -> str:
    """The grouping that a name or the end of a title means. Raises `UsageError` for an unknown one."""
    for grouping in benchmark.groupings:
        if name in (grouping.name, grouping.title) or grouping.title.endswith(f" {name}"):
            return grouping.name
    raise unknown("grouping for --by", name, [grouping.name for grouping in benchmark.groupings])


def chosen(parts: Sequence[Part], paths: Sequence[Path], by: str) -> Choice:
    """The part that is expected to be best in each group, by the runs at `paths`, one for each part in their order.

    Expectations are drawn together over the groups, so that few questions don't make a choice by their luck. Raises
    `UsageError` for runs that don't go with the parts, or know no answers.
    """
    import numpy as np

    if len(paths) != len(parts):
        raise UsageError(
            f"--rule best needs --chosen-on once for each of the {counted(len(parts), 'run')}, in their order; "
            f"it's there "
            f"{len(paths)} times. They are runs of the same models in the same ways on other data"
        )
    runs = read_parts(paths)
    for part, run in zip(parts, runs, strict=True):
        refuse_other_ways(part, run)
    keys = [key for key in runs[0].samples if all(_is_scored(run, key) for run in runs)]
    if not keys:
        raise UsageError("--chosen-on: no right answer is known in these runs; score them first")
    questions = [runs[0].samples[key].question for key in keys]
    credits = np.array([[run.samples[key].grade.credit for key in keys] for run in runs])
    found = shrunk(credits, [_group(q, by, runs[0]) for q in questions], [q.cluster or q.key for q in questions])
    return _choice(found, parts, runs)


def _choice(found: Shrunk, parts: Sequence[Part], runs: list[Part]) -> Choice:
    number = len(found.groups)
    single = int((found.expected @ found.weight).argmax())
    best = [int(way) for way in found.expected.argmax(axis=0)]
    by_group = {group: parts[way] for group, way in zip(found.groups, best, strict=True)}
    gain, _ = found.gain(best, [single] * number)
    looks = [int(way) for way in found.apparent.argmax(axis=0)]
    return Choice({"": parts[single]} | by_group, runs, gain, found.apparent_gain(looks, [single] * number))


def _is_scored(run: Part, key: str) -> bool:
    sample = run.samples[key]
    return sample.outcome in SCORED and sample.question.target is not None


def _group(question: Question, by: str, part: Part) -> str:
    grouping = part.record.benchmark.grouping(by)
    return grouping.group(question) if grouping is not None else ""
