"""95 % intervals: Wilson for plain accuracies, a bootstrap clustered by source video for micro, macro, differences.

Questions on the same video are not independent: 928 of the testbed's 957 share their video with another, and surgery
has 15 videos for 283 questions. So whole videos are resampled, within each domain, because the domains and their
sizes are fixed by design. In simulations on the testbed's video structure (accuracies of 25 to 95 %, correlations
within a video of 0 to 0.3, 1,000 data sets each) the percentile bootstrap covers 89 to 94.4 %, the studentised one
(bootstrap-t: Efron and Tibshirani 1993, chapter 12) 93.6 to 96.5 %: so that is what is used.
`tests/scoring/test_coverage.py` repeats a part of it.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

METHODS: dict[str, str] = {
    "wilson": "Wilson score interval of a proportion; takes questions as independent",
    "mover": "Wilson intervals of the domains, combined for their mean; takes questions as independent",
    "clustered bootstrap": "studentised bootstrap of source videos within each domain",
    "clustered t": "Student t with the variance between videos, where too few videos differ for the bootstrap",
    "adjusted wald": "adjusted Wald interval of a paired difference; takes questions as independent",
    "mean of intervals": "mean of the intervals of joined runs",
}
"""What `Figure.interval` can say."""

REPLICATES = 10_000
"""Bootstrap replicates."""

Z95 = NormalDist().inv_cdf(0.975)
_MOST_DEGENERATE = 0.01
"""Share of replicates without any variance above which the bootstrap is not used."""


class Interval(NamedTuple):
    """A 95 % interval and how it was found."""

    low: float
    high: float
    method: str


class Stratum(NamedTuple):
    """The clusters of one domain: `total[i]` is the sum of what is averaged over the `size[i]` questions of video
    i."""

    totals: Sequence[float]
    sizes: Sequence[int]

    @property
    def mean(self) -> float:
        """Sum of the totals over the number of questions."""
        return sum(self.totals) / sum(self.sizes)


def wilson(right: int, n: int, z: float = Z95) -> Interval:
    """Wilson's score interval of `right` out of `n`; (0, 1) when `n` is 0."""
    if n == 0:
        return Interval(0.0, 1.0, "wilson")
    share = right / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if right == 0 else max(0.0, centre - half)
    high = 1.0 if right == n else min(1.0, centre + half)
    return Interval(low, high, "wilson")


def mover(counts: Sequence[tuple[int, int]]) -> Interval:
    """Interval of the unweighted mean of several accuracies, each (right, n), from their Wilson intervals.

    Method of variance estimates recovery: Zou and Donner, Statistics in Medicine 27 (2008), 1693.
    """
    parts = [(right / n, wilson(right, n)) for right, n in counts]
    mean = sum(share for share, _ in parts) / len(parts)
    below = math.sqrt(sum((share - interval.low) ** 2 for share, interval in parts)) / len(parts)
    above = math.sqrt(sum((interval.high - share) ** 2 for share, interval in parts)) / len(parts)
    return Interval(max(0.0, mean - below), min(1.0, mean + above), "mover")


def clustered(
    strata: Sequence[Stratum],
    weights: Sequence[float],
    *,
    bounds: tuple[float, float] = (0.0, 1.0),
    seed: int = 0,
    replicates: int = REPLICATES,
) -> Interval | None:
    """Interval of the sum over strata of weight x mean, resampling the clusters of each stratum.

    `bounds` are the least and greatest possible value: (0, 1) for an accuracy, (-1, 1) for a difference of two.
    Returns None where the clusters can't tell: a stratum has fewer than two of them, or none of them differ.
    """
    if any(len(stratum.totals) < 2 for stratum in strata):
        return None
    import numpy as np

    estimate = sum(weight * stratum.mean for weight, stratum in zip(weights, strata, strict=True))
    variances = [float(_moments(stratum, np.ones((1, len(stratum.totals))))[1][0]) for stratum in strata]
    parts = [weight * weight * variance for weight, variance in zip(weights, variances, strict=True)]
    error = math.sqrt(sum(parts))
    if error <= 1e-9:
        return None
    method = "clustered bootstrap"
    quantiles = _studentised(strata, weights, estimate, seed, replicates)
    if quantiles is None:
        method = "clustered t"
        # scipy.special alone: it loads in a fraction of the time of scipy.stats.
        from scipy.special import stdtrit

        freedom = sum(parts) ** 2 / sum(p * p / (len(s.totals) - 1) for p, s in zip(parts, strata, strict=True))
        quantile = float(stdtrit(freedom, 0.975))
        quantiles = -quantile, quantile
    # A very skewed distribution must not put the estimate outside of its own interval.
    low, high = estimate - max(quantiles[1], 0.0) * error, estimate - min(quantiles[0], 0.0) * error
    return Interval(max(bounds[0], low), min(bounds[1], high), method)


def _studentised(
    strata: Sequence[Stratum], weights: Sequence[float], estimate: float, seed: int, replicates: int
) -> tuple[float, float] | None:
    """2.5 % and 97.5 % quantiles of the studentised replicates; None if too many of them have no variance."""
    import numpy as np

    rng = np.random.default_rng(seed)
    means = np.zeros(replicates)
    variances = np.zeros(replicates)
    for weight, stratum in zip(weights, strata, strict=True):
        m = len(stratum.totals)
        draws = rng.integers(0, m, size=(replicates, m))
        # Row r of `times` says how often each cluster was drawn in replicate r.
        flat = np.bincount((draws + np.arange(replicates)[:, None] * m).ravel(), minlength=replicates * m)
        mean, variance = _moments(stratum, flat.reshape(replicates, m).astype(np.float64))
        means += weight * mean
        variances += weight * weight * variance
    kept = variances > 1e-18
    if 1 - kept.mean() > _MOST_DEGENERATE:
        return None
    low, high = np.percentile((means[kept] - estimate) / np.sqrt(variances[kept]), [2.5, 97.5])
    return float(low), float(high)


def _moments(stratum: Stratum, times: Floats) -> tuple[Floats, Floats]:
    """Mean and cluster-robust variance of that mean, for each row of `times` (replicates x clusters)."""
    import numpy as np

    totals = np.asarray(stratum.totals, dtype=np.float64)
    sizes = np.asarray(stratum.sizes, dtype=np.float64)
    m = len(totals)
    sums: Any = times @ np.stack([totals, sizes, totals * totals, totals * sizes, sizes * sizes], axis=1)
    total, size, tt, ts, ss = sums.T
    mean = total / size
    residual = np.maximum(tt - 2 * mean * ts + mean * mean * ss, 0.0)
    return mean, m / (m - 1) * residual / (size * size)


def strata_of(values: Mapping[str, Mapping[str, Sequence[float]]]) -> list[Stratum]:
    """Strata from the values of the questions by domain, then by video, in order of name: the bootstrap's draws, and
    so the interval, don't depend on the order of the questions.

    A domain with a single video says nothing about how videos differ: there, each question is its own cluster.
    """
    strata = []
    for _, videos in sorted(values.items()):
        clusters = [videos[name] for name in sorted(videos)]
        if len(clusters) == 1:
            clusters = [[value] for value in sorted(clusters[0])]
        strata.append(Stratum([sum(cluster) for cluster in clusters], [len(cluster) for cluster in clusters]))
    return strata
