"""The 95 % interval of an accuracy, found in the same way for every figure.

Wilson's score interval, with as many questions as the clusters leave: n over the design effect, which is how many times
larger the variance is than that of as many independent questions. The design effect is that of the clusters (see
`clusters`), moderated as variances of few replicates are (Smyth, Statistical Applications in Genetics and Molecular
Biology 3 (2004), 3): four degrees of freedom are given to what the correlation within clusters lets one expect, and
the rest to what the clusters of the group show. So a group of four clusters gets a wide and useful interval, and one
question more or less changes little.

`tests/scoring/test_coverage.py` shows how often it holds the truth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.scoring.clusters import layout, parts, pooled
from egocross_eval.scoring.quantiles import normal_quantile, t_quantile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from egocross_eval.scoring.clusters import Parts

    Floats = NDArray[np.float64]

METHODS: dict[str, str] = {
    "clustered": "Wilson's, widened by how much the answers to questions on one {cluster} go together",
    "assumed": "Wilson's, widened by an assumed correlation of 0.1 between questions on one {cluster}, as the answers "
    "to single questions aren't known",
}
"""What `Figure.interval` can say, with the benchmark's word for a cluster to be put in."""

LEVEL = 0.05
"""Error rate of every interval and test."""

ASSUMED_CORRELATION = 0.1
"""Correlation within a cluster where no answers to single questions are at hand."""

_USUAL_CORRELATION = 0.15
"""Correlation that a `Correlation` starts from, with the weight of one degree of freedom."""
_EXPECTED_FREEDOM = 4.0
"""Degrees of freedom given to the design effect that the correlation lets one expect."""
_SKEW = 0.2
"""Share of a yes or no's excess kurtosis that the sums of clusters keep; chosen by simulation, as the two above."""


class Interval(NamedTuple):
    """A 95 % interval and how it was found, a name of `METHODS`."""

    low: float
    high: float
    method: str = "clustered"


class Correlation(NamedTuple):
    """How much questions within a cluster go together, in sums that can be added up over strata."""

    together: float
    """Sum of the products of residuals over all pairs of questions within a cluster."""
    pairs: float
    """What it'd be if all questions of a cluster had the same residual."""
    freedom: float
    """Degrees of freedom that it rests on."""

    def value(self, trust: float) -> float:
        """The correlation, between 0 and 1, drawn a little towards what is usual; `trust` scales the freedom."""
        if self.pairs <= 0:
            return _USUAL_CORRELATION
        found = min(1.0, max(0.0, self.together / self.pairs))
        weight = trust * self.freedom
        return (weight * found + _USUAL_CORRELATION) / (weight + 1)


def correlation(values: Sequence[float], clusters: Sequence[str]) -> Correlation:
    """The correlation within the clusters of one stratum, by moments."""
    import numpy as np

    _, cluster = np.unique(np.asarray(clusters, dtype=np.str_), return_inverse=True)
    sizes = np.bincount(cluster).astype(np.float64)
    n = len(values)
    if len(sizes) < 2:
        return Correlation(0.0, 0.0, 0.0)
    residuals = np.asarray(values, dtype=np.float64) - np.mean(values)
    squares = float((residuals**2).sum())
    variance = squares / (n - 1)
    concentration = float((sizes**2).sum()) / n
    # Residuals from an estimated mean are a little opposed to each other: the last term makes up for it.
    together = float((np.bincount(cluster, residuals) ** 2).sum()) - squares + variance * (concentration - 1)
    return Correlation(together, n * (concentration - 1) * variance, _freedom(sizes / n))


def _freedom(share: Floats) -> float:
    """Bell and McCaffrey's degrees of freedom of the variance of a mean over clusters with these shares."""
    q = share**2 / (1 - share)
    return float(1 / ((share**2).sum() + q.sum() ** 2 - (q**2).sum()))


def summed(correlations: Iterable[Correlation]) -> Correlation:
    """The correlation within the clusters of several strata."""
    together, pairs, freedom = zip(*correlations, strict=True)
    return Correlation(sum(together), sum(pairs), sum(freedom))


def accuracy_interval(
    values: Sequence[float],
    clusters: Sequence[str],
    strata: Sequence[str],
    *,
    macro: bool = False,
    prior: Correlation | None = None,
) -> Interval:
    """95 % interval of the mean of `values` between 0 and 1, one for each question with its cluster and stratum.

    With `macro` the strata count alike. `prior` is the correlation within clusters of all questions of these strata,
    for a group that is a part of them; by default that of the values themselves. No question at all leaves (0, 1).
    """
    import numpy as np

    if not values:
        return Interval(0.0, 1.0)
    row = np.asarray(values, dtype=np.float64)[None, :]
    found = parts(row, np.ones(row.shape, dtype=np.bool_), layout(clusters, strata), macro=macro)
    mean = min(1.0, max(0.0, float(found.estimate[0])))
    spread, questions = _spread(found, mean), float(found.questions[0])
    trust = _trust(mean, questions)
    rho = (prior or own_correlation(values, clusters, strata)).value(trust)
    alone = found.weight**2 * spread * (1 + rho * (found.size - 1)) / np.maximum(found.size, 1.0)
    variance, freedom = (float(one[0]) for one in pooled(found, alone))
    freedom *= trust
    seen = variance * questions / spread if spread > 0 else 1.0
    together = questions * float((found.weight**2 * found.concentration).sum()) - 1
    effect = (freedom * seen + _EXPECTED_FREEDOM * (1 + rho * together)) / (freedom + _EXPECTED_FREEDOM)
    effective = questions / max(1.0, effect) * (mean * (1 - mean) / spread if spread > 0 else 1.0)
    return Interval(*_wilson(mean, effective, t_quantile(1 - LEVEL / 2, freedom + _EXPECTED_FREEDOM)))


def _trust(mean: float, questions: float) -> float:
    """How much of its degrees of freedom a variance keeps at that mean: near 0 and 1 the sums of few clusters decide
    it, and say less of how others would vary. A single wrong answer says nothing of whether those go together."""
    binary = mean * (1 - mean)
    rarer = questions * min(mean, 1 - mean)
    if rarer <= 1:
        return 0.0
    return (1 - 1 / rarer) * 2 / (2 + _SKEW * max(0.0, (1 - 6 * binary) / binary))


def own_correlation(values: Sequence[float], clusters: Sequence[str], strata: Sequence[str]) -> Correlation:
    """The correlation within the clusters of all strata together."""
    groups: dict[str, tuple[list[float], list[str]]] = {}
    for value, cluster, stratum in zip(values, clusters, strata, strict=True):
        group = groups.setdefault(stratum, ([], []))
        group[0].append(value)
        group[1].append(cluster)
    return summed(correlation(*group) for group in groups.values())


def _spread(found: Parts, mean: float) -> float:
    """Variance of the values about their mean: that of a yes or no, less where values are means of several runs."""
    questions = float(found.questions[0])
    seen = float((found.weight * found.square).sum()) - mean**2
    # One question more that is right or wrong: values that happen to be all alike aren't without doubt.
    return max(0.0, (questions * seen + mean * (1 - mean)) / (questions + 1))


def _wilson(share: float, n: float, quantile: float) -> tuple[float, float]:
    """Ends of Wilson's score interval."""
    square = quantile**2 / n
    centre = (share + square / 2) / (1 + square)
    half = (square * share * (1 - share) + square**2 / 4) ** 0.5 / (1 + square)
    return (0.0 if share == 0 else max(0.0, centre - half)), (1.0 if share == 1 else min(1.0, centre + half))


class Counted(NamedTuple):
    """A group of whose answers only the sums are known."""

    right: int
    n: int
    together: float
    """Number of other questions on a question's cluster, on average over the questions."""


def assumed_interval(groups: Sequence[Counted]) -> Interval:
    """95 % interval of the unweighted mean of the groups' accuracies, with the correlation that is assumed where
    answers to single questions aren't known."""
    return Interval(*_wilson(*assumed_questions(groups), normal_quantile(1 - LEVEL / 2)), "assumed")


def assumed_questions(groups: Sequence[Counted]) -> tuple[float, float]:
    """Unweighted mean of the groups' accuracies, and how many independent questions would say as much."""
    effects = [(1 + ASSUMED_CORRELATION * group.together) / group.n for group in groups]
    return sum(group.right / group.n for group in groups) / len(groups), len(groups) ** 2 / sum(effects)
