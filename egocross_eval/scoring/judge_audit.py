"""What a judge is worth, by answers whose verdict is known."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from egocross_eval.grading.audited import CONTROL, REPEAT, ROOT, SWAPPED
from egocross_eval.grading.controls import KINDS
from egocross_eval.scoring.accuracy import accuracy_interval
from egocross_eval.scoring.clustered_mean import clustered_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from egocross_eval.schema import BenchmarkRecord, Sample


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """A share or a mean difference with its 95 % interval, clustered."""

    value: float
    low: float
    high: float
    n: int
    error: float = 0.0
    """Standard error, where one is needed further on."""


class JudgeAudit(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one judge. None: there was nothing to tell it by."""

    judge: str
    sensitivity: Rate | None
    """Share of right answers that were judged right."""
    specificity: Rate | None
    """Share of wrong answers that were judged wrong."""
    kinds: dict[str, Rate]
    """Share judged as it should be, by kind of control."""
    order: Rate | None
    """Mean mark with the prediction first, less that with the reference first."""
    order_changes: Rate | None
    """Share of verdicts that the order changes."""
    length_right: Rate | None
    """Share judged right among long right answers, less that among short ones."""
    length_wrong: Rate | None
    """Share judged right among long wrong answers, less that among short ones."""
    consistency: Rate | None
    """Share of answers that got the same verdict when asked again."""
    spread: float | None
    """Mean absolute difference of marks when asked again."""
    not_judged: int
    """Answers to which no reply could be read: in no share."""
    errored: int


def judge_audit(samples: Iterable[Sample], benchmark: BenchmarkRecord, judge: str) -> JudgeAudit:
    """What the judging of controls says of the judge."""
    everything = list(samples)
    told = [sample for sample in everything if sample.outcome in ("right", "wrong")]
    plain = [sample for sample in told if not sample.question.label(SWAPPED) and not sample.question.label(REPEAT)]
    by_kind: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in plain:
        by_kind[sample.question.label(CONTROL)].append(sample)
    find = _Found(benchmark)
    swapped = _pairs(plain, [sample for sample in told if sample.question.label(SWAPPED)], _same_answer)
    again = _pairs(plain, [sample for sample in told if sample.question.label(REPEAT)], _same_answer)
    return JudgeAudit(
        judge=judge,
        sensitivity=find.rate([s for name, kind in KINDS.items() if kind.right for s in by_kind[name]]),
        specificity=find.rate([s for name, kind in KINDS.items() if not kind.right for s in by_kind[name]]),
        kinds={name: rate for name in KINDS if (rate := find.rate(by_kind[name])) is not None},
        order=find.mean(swapped, lambda one, other: (other.grade.mark or 0.0) - (one.grade.mark or 0.0)),
        order_changes=find.share(swapped, lambda one, other: float(one.outcome != other.outcome)),
        length_right=find.mean(_pairs(by_kind["reference"], by_kind["long-right"], _root), _gained),
        length_wrong=find.mean(_pairs(by_kind["other"], by_kind["long-wrong"], _root), _gained),
        consistency=find.share(again, lambda one, other: float(one.outcome == other.outcome)),
        spread=_spread(again),
        not_judged=sum(sample.outcome == "unscored" for sample in everything),
        errored=sum(sample.outcome == "errored" for sample in everything),
    )


def _gained(one: Sample, other: Sample) -> float:
    return float(other.outcome == "right") - float(one.outcome == "right")


def _spread(pairs: Sequence[tuple[Sample, Sample]]) -> float | None:
    marks = [abs((one.grade.mark or 0.0) - (other.grade.mark or 0.0)) for one, other in pairs]
    return sum(marks) / len(marks) if marks else None


class _Found:
    """Rates and differences over samples, clustered as the benchmark is."""

    def __init__(self, benchmark: BenchmarkRecord) -> None:
        self._benchmark = benchmark

    def _places(self, samples: Sequence[Sample]) -> tuple[list[str], list[str]]:
        clusters = [sample.question.cluster or sample.key for sample in samples]
        return clusters, [self._benchmark.part(sample.question) for sample in samples]

    def rate(self, samples: Sequence[Sample]) -> Rate | None:
        """Share judged as it should be."""
        values = [float((s.outcome == "right") == KINDS[s.question.label(CONTROL)].right) for s in samples]
        return self._share(values, samples)

    def share(self, pairs: Sequence[tuple[Sample, Sample]], value: Callable[[Sample, Sample], float]) -> Rate | None:
        """Share of pairs of which something holds."""
        return self._share([value(*pair) for pair in pairs], [one for one, _ in pairs])

    def mean(self, pairs: Sequence[tuple[Sample, Sample]], value: Callable[[Sample, Sample], float]) -> Rate | None:
        """Mean of a difference over pairs."""
        if not pairs:
            return None
        clusters, strata = self._places([one for one, _ in pairs])
        found = clustered_mean([value(*pair) for pair in pairs], clusters, strata, least_error=1 / len(pairs))
        return Rate(value=found.value, low=found.low, high=found.high, n=found.n, error=found.error)

    def _share(self, values: list[float], samples: Sequence[Sample]) -> Rate | None:
        if not values:
            return None
        clusters, strata = self._places(samples)
        found = accuracy_interval(values, clusters, strata)
        mean = clustered_mean(values, clusters, strata, least_error=1 / len(values))
        return Rate(value=sum(values) / len(values), low=found.low, high=found.high, n=len(values), error=mean.error)


def _pairs(
    first: Sequence[Sample], second: Sequence[Sample], key: Callable[[Sample], object]
) -> list[tuple[Sample, Sample]]:
    """The samples of both that share a key."""
    known = {key(sample): sample for sample in first}
    return [(known[key(sample)], sample) for sample in second if key(sample) in known]


def _root(sample: Sample) -> str:
    """Key of the question that the control is of."""
    return sample.question.label(ROOT)


def _same_answer(sample: Sample) -> tuple[str, str]:
    return _root(sample), sample.question.label(CONTROL)
