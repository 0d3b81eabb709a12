"""From what became of each question to the figures of a run.

Counting rule: right, wrong, not parsed and errored are four numbers. Not parsed counts as wrong. Errored, unscored
and missing questions count neither right nor wrong but stay in n, so an accuracy over them is a lower bound, and its
interval reaches up to what it'd be if all of them were right.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import msgspec

from egocross_eval.schema import SCHEMA_VERSION, BenchmarkRecord, Figure, Outcome, Question, Results, Sample
from egocross_eval.scoring.intervals import Interval, Stratum, clustered, mover, strata_of, wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Fate = Outcome | Literal["missing"]
"""An outcome, or `missing`: there is no entry for the question at all."""

SCORED = frozenset({"right", "wrong", "not_parsed"})
"""Outcomes that count in the headline."""


class Judged(NamedTuple):
    """A question and what became of it."""

    question: Question
    fate: Fate
    credit: float
    chance: float | None
    """Expected credit of a uniform guess."""

    @property
    def scored(self) -> bool:
        """Counts in the headline."""
        return self.fate in SCORED


def judged_sample(sample: Sample, chance: float | None) -> Judged:
    """What became of a sample's question; frames and texts, of which no figure depends, are let go."""
    question = msgspec.structs.replace(sample.question, frames=(), text="", options={}, references={})
    return Judged(question, sample.outcome, sample.grade.credit, chance)


def not_asked(question: Question, chance: float | None) -> Judged:
    """A question without a sample: it stays in every n."""
    return Judged(question, "missing", 0.0, chance)


def results_of(
    judged: Sequence[Judged],
    benchmark: BenchmarkRecord,
    *,
    total: int,
    seed: int = 0,
    tokens: dict[str, int] | None = None,
    seconds: float = 0.0,
) -> Results:
    """Results of `judged` questions out of `total`; questions beyond those given count as missing.

    Micro and macro are None where no question could be scored: no answers are known, or none was answered. A group
    without a scored question is left out. `seed` is that of the bootstrap.
    """
    found = Counter(item.fate for item in judged)
    counts = {outcome: found[outcome] for outcome in get_args(Outcome)}
    counts["total"] = total
    counts["missing"] = max(0, total - len(judged)) + found["missing"]
    known = [_counted(item) for item in judged]
    scored = sum(item.scored for item in known)
    groups = {grouping.name: _group(known, grouping.group) for grouping in benchmark.groupings}
    complete = total > 0 and scored == total and counts["missing"] == 0
    return Results(
        schema_version=SCHEMA_VERSION,
        complete=complete,
        counts=counts,
        micro=micro_figure(known, benchmark, seed=seed),
        macro=macro_figure(known, benchmark, seed=seed),
        groups={name: figures for name, figures in groups.items() if figures},
        tokens=tokens or {"input": 0, "output": 0},
        seconds=seconds,
    )


def _counted(item: Judged) -> Judged:
    """An output that couldn't be parsed is no wrong answer where the right one isn't known."""
    return item._replace(fate="unscored") if item.question.target is None and item.scored else item


def _group(judged: Iterable[Judged], key: Callable[[Question], str]) -> dict[str, Figure]:
    """Figure by name of the group, in order of name; unnamed groups and those without a scored question are left
    out."""
    members: defaultdict[str, list[Judged]] = defaultdict(list)
    for item in judged:
        members[key(item.question)].append(item)
    return {
        name: plain_figure(items)
        for name, items in sorted(members.items())
        if name and any(item.scored for item in items)
    }


def plain_figure(judged: Sequence[Judged]) -> Figure:
    """Accuracy of a group with Wilson's interval."""
    undecided = sum(not item.scored for item in judged)
    credit, n = sum(item.credit for item in judged), len(judged)
    return _figure(judged, credit / n, wilson(round(credit), n), wilson(round(credit) + undecided, n), _chance(judged))


def micro_figure(judged: Sequence[Judged], benchmark: BenchmarkRecord, *, seed: int = 0) -> Figure | None:
    """Mean over all questions; None when none is scored."""
    if not any(item.scored for item in judged):
        return None

    def interval(strata: Sequence[Stratum]) -> Interval:
        right = round(sum(sum(stratum.totals) for stratum in strata))
        shares = [sum(stratum.sizes) / len(judged) for stratum in strata]
        return clustered(strata, shares, seed=seed) or wilson(right, len(judged))

    accuracy = sum(item.credit for item in judged) / len(judged)
    return _figure(judged, accuracy, *_least_and_most(judged, benchmark, interval), _chance(judged))


def macro_figure(judged: Sequence[Judged], benchmark: BenchmarkRecord, *, seed: int = 0) -> Figure | None:
    """Unweighted mean over the groups of the macro axis; None when one has no scored question, or there's no axis."""
    parts: dict[str, list[Judged]] = {}
    for item in judged:
        parts.setdefault(benchmark.part(item.question), []).append(item)
    if not benchmark.macro or not parts or not all(any(item.scored for item in items) for items in parts.values()):
        return None

    def interval(strata: Sequence[Stratum]) -> Interval:
        counts = [(round(sum(stratum.totals)), sum(stratum.sizes)) for stratum in strata]
        return clustered(strata, [1 / len(strata)] * len(strata), seed=seed) or mover(counts)

    accuracy = sum(plain_figure(items).accuracy for items in parts.values()) / len(parts)
    known = [chance for items in parts.values() if (chance := _chance(items)) is not None]
    chance = sum(known) / len(known) if known else None
    return _figure(judged, accuracy, *_least_and_most(judged, benchmark, interval), chance)


def _least_and_most(
    judged: Sequence[Judged], benchmark: BenchmarkRecord, interval: Callable[[Sequence[Stratum]], Interval]
) -> tuple[Interval, Interval]:
    """Intervals with what isn't scored taken as not right, and as right."""
    least = interval(strata_of(_values(judged, benchmark, best=False)))
    if all(item.scored for item in judged):
        return least, least
    return least, interval(strata_of(_values(judged, benchmark, best=True)))


def _values(judged: Sequence[Judged], benchmark: BenchmarkRecord, *, best: bool) -> dict[str, dict[str, list[float]]]:
    """Credits by group of the macro axis and cluster; `best` takes what isn't scored as right."""
    values: dict[str, dict[str, list[float]]] = {}
    for item in judged:
        value = 1.0 if best and not item.scored else item.credit
        cluster = item.question.cluster or item.question.key
        values.setdefault(benchmark.part(item.question), {}).setdefault(cluster, []).append(value)
    return values


def _chance(judged: Sequence[Judged]) -> float | None:
    """Mean expected credit of a guess, over the questions for which it's known; None where it's for none."""
    chances = [item.chance for item in judged if item.chance is not None]
    return sum(chances) / len(chances) if chances else None


def _figure(judged: Sequence[Judged], accuracy: float, least: Interval, most: Interval, chance: float | None) -> Figure:
    count = Counter(item.fate for item in judged)
    return Figure(
        right=count["right"],
        n=len(judged),
        accuracy=accuracy,
        low=least.low,
        high=most.high,
        wrong=count["wrong"],
        not_parsed=count["not_parsed"],
        errored=count["errored"],
        unscored=count["unscored"],
        missing=count["missing"],
        chance=chance,
        interval=least.method,
    )
