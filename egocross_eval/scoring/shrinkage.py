"""Which of several ways to ask is best, in all groups and in each, by few questions: estimates drawn together.

The best of ten ways on 20 questions of a group looks 11 to 21 points better than it is, since the best is picked by its
luck. Empirical Bayes takes the luck out: what the ways' true effects vary by, over all groups and within each, is told
from how far their means vary beyond what questions on other videos would make them vary, and each mean is drawn
towards nothing as far as noise explains it. Where noise explains all, all ways are expected to be equal.

Effects are credits less the mean over all ways of the same question, so that a hard question weighs on none of them.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.scoring.accuracy import ASSUMED_CORRELATION
from egocross_eval.scoring.clusters import layout, parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Shrunk(NamedTuple):
    """Effects of ways to ask, as fractions. Arrays are ways x groups unless said otherwise."""

    groups: tuple[str, ...]
    weight: Floats
    """By group, its share of the questions."""
    apparent: Floats
    """Effects as they look."""
    expected: Floats
    """Effects as they are to be expected."""
    covariance: Floats
    """Groups x groups: of what an expected effect is wrong by."""
    noise: Floats
    """By group, the variance that chance gives an apparent effect."""
    overall_spread: float
    """Standard deviation of the true effects that are the same in all groups."""
    group_spread: float
    """Standard deviation of what is added to them in each group."""

    def gain(self, one: Sequence[int], other: Sequence[int]) -> tuple[float, float]:
        """How much better ways `one` (by group) are expected to be than ways `other`, and how sure that is: its
        standard error. Both are over all questions."""
        places = range(len(self.groups))
        value = sum(float(self.weight[d] * (self.expected[one[d], d] - self.expected[other[d], d])) for d in places)
        apart = self.weight * [a != b for a, b in zip(one, other, strict=True)]
        return value, float(2 * apart @ self.covariance @ apart) ** 0.5

    def apparent_gain(self, one: Sequence[int], other: Sequence[int]) -> float:
        """How much better ways `one` (by group) look than ways `other`, over all questions."""
        places = range(len(self.groups))
        return sum(float(self.weight[d] * (self.apparent[one[d], d] - self.apparent[other[d], d])) for d in places)

    def surely(self, one: Sequence[int], other: Sequence[int]) -> float:
        """The probability that ways `one` (by group) are better than ways `other`; a half where nothing is known."""
        value, error = self.gain(one, other)
        if error == 0:
            return 0.5 if value == 0 else float(value > 0)
        return NormalDist().cdf(value / error)


def shrunk(credits: Floats, groups: Sequence[str], clusters: Sequence[str]) -> Shrunk:
    """The effects of ways to ask, from what each question is worth in each way (`credits`, ways x questions, at least
    two ways), with the group and the cluster of each question."""
    import numpy as np

    names = tuple(dict.fromkeys(groups))
    of = np.array([names.index(group) for group in groups])
    residual = credits - credits.mean(axis=0)
    apparent = np.stack([residual[:, of == d].mean(axis=1) for d in range(len(names))], axis=1)
    noise = _noise(residual, of, clusters, len(names))
    within, between = _spreads(apparent, noise)
    prior = between * np.ones((len(names), len(names))) + within * np.eye(len(names))
    pull = prior @ np.linalg.pinv(prior + np.diag(noise))
    return Shrunk(
        groups=names,
        weight=np.bincount(of) / len(of),
        apparent=apparent,
        expected=apparent @ pull.T,
        covariance=prior - pull @ prior,
        noise=noise,
        overall_spread=between**0.5,
        group_spread=within**0.5,
    )


def _noise(residual: Floats, of: NDArray[np.int64], clusters: Sequence[str], number: int) -> Floats:
    """By group, the variance of an effect by chance: that of independent questions, times how much more it varies from
    cluster to cluster in all groups together. Few clusters say little of their own group alone."""
    import numpy as np

    ways, _ = residual.shape
    names = np.asarray(clusters, dtype=np.str_)
    independent, clustered, known = np.zeros(number), np.zeros(number), np.zeros(number, dtype=np.bool_)
    for d in range(number):
        members = of == d
        values = residual[:, members]
        n = values.shape[1]
        # Residuals are from the mean over the ways: they vary less than the ways do.
        squares = ((values**2).mean() * n + 0.25) / (n + 1) * ways / (ways - 1)
        independent[d] = squares / n
        found = parts(values, np.ones(values.shape, dtype=np.bool_), layout(names[members].tolist(), [""] * n))
        known[d] = not bool(found.lone.all())
        clustered[d] = float(found.variance.mean()) * ways / (ways - 1)
        if not known[d]:
            independent[d] *= 1 + ASSUMED_CORRELATION * (n - 1)
    effect = clustered[known].sum() / independent[known].sum() if known.any() else 1.0
    widened: Floats = independent * np.where(known, max(1.0, float(effect)), 1.0)
    return widened


def _spreads(apparent: Floats, noise: Floats) -> tuple[float, float]:
    """Variances of the true effects within groups and over all of them, by moments; 0 where noise explains all."""
    ways, number = apparent.shape
    rows = float(apparent.mean(axis=1).var(ddof=1))
    chance = float(noise.mean())
    if number == 1:
        return 0.0, max(0.0, rows - chance)
    seen = float(apparent.var(axis=1, ddof=1).mean()) * ways / (ways - 1)
    return max(0.0, seen - chance), max(0.0, rows - max(seen, chance) / number)
