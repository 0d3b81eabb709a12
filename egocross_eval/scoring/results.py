"""From what became of each question to the figures of a run.

Counting rule: right, wrong, not parsed, filtered and errored are five numbers. Not parsed and filtered count as wrong.
Errored, unscored and missing questions count neither right nor wrong but stay in n, so an accuracy over them is a lower
bound, and its interval reaches up to what it'd be if all of them were right.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import msgspec

from egocross_eval.schema import SCHEMA_VERSION, BenchmarkRecord, Figure, Outcome, Question, Results, Sample
from egocross_eval.scoring.accuracy import Correlation, Interval, accuracy_interval, correlation, summed
from egocross_eval.scoring.outcomes import compact, outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Fate = Outcome | Literal["missing"]
"""An outcome, or `missing`: there is no entry for the question at all."""

SCORED = frozenset({"right", "wrong", "not_parsed", "filtered"})
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

    def worth(self, *, best: bool) -> float:
        """Its credit; what isn't scored is worth nothing, or with `best` everything."""
        return self.credit if self.scored else float(best)


def judged_sample(sample: Sample, chance: float | None, labels: dict[str, str] | None = None) -> Judged:
    """What became of a sample's question; `labels` are an equal mapping that others share."""
    return Judged(_light(sample.question, labels), sample.outcome, sample.grade.credit, chance)


def not_asked(question: Question, chance: float | None, labels: dict[str, str] | None = None) -> Judged:
    """A question without a sample: it stays in every n."""
    return Judged(_light(question, labels), "missing", 0.0, chance)


def _light(question: Question, labels: dict[str, str] | None) -> Question:
    """The question without frames and texts, on which no figure depends: runs of 100,000 must fit."""
    kept = question.labels if labels is None else labels
    return msgspec.structs.replace(question, frames=(), text="", options={}, references={}, labels=kept)


def results_of(
    judged: Sequence[Judged],
    benchmark: BenchmarkRecord,
    *,
    total: int,
    tokens: dict[str, int] | None = None,
    seconds: float = 0.0,
    waits: bool = False,
) -> Results:
    """Results of `judged` questions out of `total`; questions beyond those given count as missing.

    Micro and macro are None where no question could be scored: no answers are known, none was answered, or all `waits`
    for a judge. A group without a scored question is left out.
    """
    found = Counter(item.fate for item in judged)
    counts = {outcome: found[outcome] for outcome in get_args(Outcome)}
    counts["total"] = total
    counts["missing"] = max(0, total - len(judged)) + found["missing"]
    known = [_counted(item, waits=waits) for item in judged]
    # Where nothing can be scored yet, the answers are what the run was for.
    open_to_all = waits or all(item.question.target is None for item in judged)
    done = sum(item.scored or (open_to_all and item.fate == "unscored") for item in known)
    figures = Figures(known, benchmark)
    groups = {grouping.name: figures.groups(grouping.group) for grouping in benchmark.groupings}
    return Results(
        schema_version=SCHEMA_VERSION,
        complete=total > 0 and done == total and counts["missing"] == 0,
        counts=counts,
        micro=figures.micro(),
        macro=figures.macro(),
        groups={name: found for name, found in groups.items() if found},
        tokens=tokens or {"input": 0, "output": 0},
        seconds=seconds,
        outcomes=compact(outcome_of(i.question, i.credit if i.scored else None, benchmark) for i in known),
        waits=waits,
    )


def _counted(item: Judged, *, waits: bool) -> Judged:
    """What wasn't parsed or was filtered is no wrong answer where the right one isn't known, or a judge has the say."""
    return item._replace(fate="unscored") if (waits or item.question.target is None) and item.scored else item


class Figures:
    """The figures of a run, whose intervals all rest on how its questions go together within their clusters."""

    def __init__(self, judged: Sequence[Judged], benchmark: BenchmarkRecord) -> None:
        self._judged = judged
        self._benchmark = benchmark
        self._parts: defaultdict[str, list[Judged]] = defaultdict(list)
        for item in judged:
            self._parts[benchmark.part(item.question)].append(item)
        # Found when first needed: a run without a scored question needs none, and no numpy.
        self._priors: dict[bool, dict[str, Correlation]] = {}

    def _correlations(self, best: bool) -> dict[str, Correlation]:
        if best not in self._priors:
            self._priors[best] = {
                name: correlation([i.worth(best=best) for i in items], [_cluster(i.question) for i in items])
                for name, items in self._parts.items()
            }
        return self._priors[best]

    def micro(self) -> Figure | None:
        """Mean over all questions; None when none is scored."""
        return self.of(self._judged) if any(item.scored for item in self._judged) else None

    def macro(self) -> Figure | None:
        """Unweighted mean over the groups of the macro axis; None when one has no scored question, some questions are
        in no group, or there's no axis."""
        parts = self._parts.values()
        if not self._benchmark.macro or not parts or not all(any(i.scored for i in items) for items in parts):
            return None
        if "" in self._parts and len(parts) > 1:
            return None
        accuracy = sum(sum(item.worth(best=False) for item in items) / len(items) for items in parts) / len(parts)
        known = [chance for items in parts if (chance := _chance(items)) is not None]
        chance = sum(known) / len(known) if known else None
        return self._figure(self._judged, accuracy, chance, macro=True)

    def groups(self, key: Callable[[Question], str]) -> dict[str, Figure]:
        """Figure by name of the group, in order of name; unnamed groups and those without a scored question are left
        out."""
        members: defaultdict[str, list[Judged]] = defaultdict(list)
        for item in self._judged:
            members[key(item.question)].append(item)
        return {
            name: self.of(items)
            for name, items in sorted(members.items())
            if name and any(item.scored for item in items)
        }

    def of(self, judged: Sequence[Judged]) -> Figure:
        """Mean over some of the questions, at least one."""
        accuracy = sum(item.worth(best=False) for item in judged) / len(judged)
        return self._figure(judged, accuracy, _chance(judged))

    def _figure(
        self, judged: Sequence[Judged], accuracy: float, chance: float | None, *, macro: bool = False
    ) -> Figure:
        count = Counter(item.fate for item in judged)
        least = most = self._interval(judged, best=False, macro=macro)
        if not all(item.scored for item in judged):
            most = self._interval(judged, best=True, macro=macro)
        return Figure(
            right=count["right"],
            n=len(judged),
            accuracy=accuracy,
            low=least.low,
            high=most.high,
            wrong=count["wrong"],
            not_parsed=count["not_parsed"],
            filtered=count["filtered"],
            errored=count["errored"],
            unscored=count["unscored"],
            missing=count["missing"],
            chance=chance,
            clusters=len({_cluster(item.question) for item in judged}),
        )

    def _interval(self, judged: Sequence[Judged], *, best: bool, macro: bool) -> Interval:
        parts = [self._benchmark.part(item.question) for item in judged]
        return accuracy_interval(
            [item.worth(best=best) for item in judged],
            [_cluster(item.question) for item in judged],
            parts,
            macro=macro,
            prior=summed(self._correlations(best)[part] for part in dict.fromkeys(parts)),
        )


def _cluster(question: Question) -> str:
    """The name of a question's cluster; one without stands alone."""
    return question.cluster or question.key


def _chance(judged: Sequence[Judged]) -> float | None:
    """Mean expected credit of a guess, over the questions for which it's known; None where it's for none."""
    chances = [item.chance for item in judged if item.chance is not None]
    return sum(chances) / len(chances) if chances else None
