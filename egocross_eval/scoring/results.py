"""From what became of each question to the figures of a run.

Counting rule: right, wrong, not parsed and errored are four numbers. Not parsed counts as wrong. Errored, unscored
and missing questions count neither right nor wrong but stay in n, so an accuracy over them is a lower bound, and its
interval reaches up to what it'd be if all of them were right.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from egocross_eval.schema import SCHEMA_VERSION, Figure, Outcome, Question, Results, Sample
from egocross_eval.scoring.intervals import Interval, Stratum, clustered, mover, strata_of, wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Fate = Outcome | Literal["missing"]
"""An outcome, or `missing`: there is no entry for the question at all."""

SCORED = frozenset({"right", "wrong", "not_parsed"})
"""Outcomes that count in the headline."""

_GROUPINGS: dict[str, Callable[[Question], str]] = {
    "domain": lambda question: question.domain,
    "category": lambda question: question.category,
    "question_type": lambda question: question.question_type,
    "dataset": lambda question: question.dataset,
    "cell": lambda question: f"{question.dataset} / {question.question_type}" if question.question_type else "",
}


class Judged(NamedTuple):
    """A question and what became of it."""

    question: Question
    fate: Fate


def score_samples(samples: Sequence[Sample], *, total: int, missing: Sequence[Question] = (), seed: int = 0) -> Results:
    """Results of the final `samples` of a run, one for each key, out of `total` questions asked.

    Micro and macro are None where no question could be scored: no answers are known, or none was answered. A group
    without a scored question is left out. `missing` are questions without a sample: they stay in every n. `seed`
    is that of the bootstrap.
    """
    judged = [Judged(sample.question, sample.outcome) for sample in samples]
    judged.extend(Judged(question, "missing") for question in missing)
    tokens = {
        "input": sum(sample.response.input_tokens or 0 for sample in samples),
        "output": sum(sample.response.output_tokens or 0 for sample in samples),
    }
    seconds = sum(sample.response.seconds or 0.0 for sample in samples)
    return results_of(judged, total=total, seed=seed, tokens=tokens, seconds=seconds)


def results_of(
    judged: Sequence[Judged],
    *,
    total: int,
    seed: int = 0,
    tokens: dict[str, int] | None = None,
    seconds: float = 0.0,
) -> Results:
    """Results of `judged` questions out of `total`; questions beyond those given count as missing."""
    found = Counter(fate for _, fate in judged)
    counts = {outcome: found[outcome] for outcome in get_args(Outcome)}
    counts["total"] = total
    counts["missing"] = max(0, total - len(judged)) + found["missing"]
    known = [Judged(question, _counted(question, fate)) for question, fate in judged]
    scored = sum(fate in SCORED for _, fate in known)
    groups = {name: _group(known, key) for name, key in _GROUPINGS.items()}
    complete = total > 0 and scored == total and counts["missing"] == 0
    return Results(
        schema_version=SCHEMA_VERSION,
        complete=complete,
        counts=counts,
        micro=micro_figure(known, seed=seed),
        macro=macro_figure(known, seed=seed),
        groups={name: figures for name, figures in groups.items() if figures},
        tokens=tokens or {"input": 0, "output": 0},
        seconds=seconds,
    )


def _counted(question: Question, fate: Fate) -> Fate:
    """An output that couldn't be parsed is no wrong answer where the right one isn't known."""
    return "unscored" if question.answer is None and fate in SCORED else fate


def _group(judged: Iterable[Judged], key: Callable[[Question], str]) -> dict[str, Figure]:
    """Figure by name of the group, in order of name; unnamed groups and those without a scored question are left
    out."""
    members: defaultdict[str, list[Judged]] = defaultdict(list)
    for item in judged:
        members[key(item.question)].append(item)
    return {
        name: plain_figure(items)
        for name, items in sorted(members.items())
        if name and any(item.fate in SCORED for item in items)
    }


def plain_figure(judged: Sequence[Judged]) -> Figure:
    """Accuracy of a group with Wilson's interval."""
    count = Counter(fate for _, fate in judged)
    undecided = count["errored"] + count["unscored"] + count["missing"]
    right, n = count["right"], len(judged)
    return _figure(judged, right / n, wilson(right, n), wilson(right + undecided, n), _chance(judged))


def micro_figure(judged: Sequence[Judged], *, seed: int = 0) -> Figure | None:
    """Right over all questions; None when none is scored."""
    if not any(item.fate in SCORED for item in judged):
        return None

    def interval(strata: Sequence[Stratum]) -> Interval:
        right = round(sum(sum(stratum.totals) for stratum in strata))
        shares = [sum(stratum.sizes) / len(judged) for stratum in strata]
        return clustered(strata, shares, seed=seed) or wilson(right, len(judged))

    right = sum(fate == "right" for _, fate in judged)
    return _figure(judged, right / len(judged), *_least_and_most(judged, interval), _chance(judged))


def macro_figure(judged: Sequence[Judged], *, seed: int = 0) -> Figure | None:
    """Unweighted mean of the domains' accuracies; None when a domain has no scored question."""
    domains: dict[str, list[Judged]] = {}
    for item in judged:
        domains.setdefault(item.question.domain, []).append(item)
    if not domains or not all(any(item.fate in SCORED for item in items) for items in domains.values()):
        return None

    def interval(strata: Sequence[Stratum]) -> Interval:
        counts = [(round(sum(stratum.totals)), sum(stratum.sizes)) for stratum in strata]
        return clustered(strata, [1 / len(strata)] * len(strata), seed=seed) or mover(counts)

    accuracy = sum(plain_figure(items).accuracy for items in domains.values()) / len(domains)
    known = [chance for items in domains.values() if (chance := _chance(items)) is not None]
    chance = sum(known) / len(known) if known else None
    return _figure(judged, accuracy, *_least_and_most(judged, interval), chance)


def _least_and_most(
    judged: Sequence[Judged], interval: Callable[[Sequence[Stratum]], Interval]
) -> tuple[Interval, Interval]:
    """Intervals with what isn't scored taken as not right, and as right."""
    least = interval(strata_of(_values(judged, best=False)))
    if all(fate in SCORED for _, fate in judged):
        return least, least
    return least, interval(strata_of(_values(judged, best=True)))


def _values(judged: Sequence[Judged], *, best: bool) -> dict[str, dict[str, list[float]]]:
    """1 for right and 0 otherwise by domain and video; `best` takes what isn't scored as right."""
    values: dict[str, dict[str, list[float]]] = {}
    for question, fate in judged:
        right = fate == "right" or (best and fate not in SCORED)
        values.setdefault(question.domain, {}).setdefault(question.video, []).append(float(right))
    return values


def _chance(judged: Sequence[Judged]) -> float | None:
    """Expected accuracy of a uniform guess, over the questions with a known answer."""
    chances = [len(q.accepted_letters()) / len(q.options) for q, _ in judged if q.answer is not None]
    return sum(chances) / len(chances) if chances else None


def _figure(judged: Sequence[Judged], accuracy: float, least: Interval, most: Interval, chance: float | None) -> Figure:
    count = Counter(fate for _, fate in judged)
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
