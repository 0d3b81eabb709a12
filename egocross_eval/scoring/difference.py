"""Two runs on the same questions: their difference, its interval and its p-value, from one statistic.

The difference of two runs is the mean of what changed: 1 for a question gained, -1 for one lost. Its variance is CR2 by
stratum and cluster, its quantiles are Student's with Welch and Satterthwaite's degrees of freedom, so that interval and
p-value can't contradict each other. Below six clusters no p-value is given: there even the clearest result has a
chance of 1 in 16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.scoring.accuracy import ASSUMED_CORRELATION, LEVEL
from egocross_eval.scoring.clusters import parts, pooled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from egocross_eval.scoring.clusters import Layout, Parts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

FEWEST_CLUSTERS = 6
"""Below this no p-value is given."""

POWER = 0.8
"""Share of cases in which a difference of `Differences.detectable` is shown."""

_LONE_FREEDOM = 2.0
"""Degrees of freedom of what a lone cluster is taken to vary: chosen by simulation."""
_FLIPS = 9_999
"""Random sign flips where there are too many clusters to try all."""
_ALL_FLIPS = 13
"""Most clusters of which all sign flips are tried."""


class Differences(NamedTuple):
    """Differences of accuracies, second less first, one for each pair of runs. Arrays by pair."""

    value: Floats
    """As fractions."""
    error: Floats
    """Standard error; infinite where a single cluster can't tell."""
    freedom: Floats
    clusters: Ints
    """Clusters that the difference rests on."""
    contribution: Floats
    """Pairs x clusters: what each cluster adds to the value."""

    def p(self) -> Floats:
        """Two-sided p-values; NaN below `FEWEST_CLUSTERS`."""
        import numpy as np
        from scipy.special import stdtr

        found: Floats = 2 * stdtr(self.freedom, -np.abs(self.value) / self.error)
        return np.where(self.clusters < FEWEST_CLUSTERS, np.nan, found)

    def interval(self, level: float = LEVEL) -> tuple[Floats, Floats]:
        """Ends of the intervals that miss the true difference with the chance `level`."""
        import numpy as np
        from scipy.special import stdtrit

        half = stdtrit(self.freedom, 1 - level / 2) * self.error
        return np.maximum(-1.0, self.value - half), np.minimum(1.0, self.value + half)

    def detectable(self, level: float = LEVEL) -> Floats:
        """The smallest true differences that these clusters would show in 80 % of cases (`POWER`), at most 1."""
        import numpy as np
        from scipy.special import stdtrit

        quantiles = stdtrit(self.freedom, 1 - level / 2) + stdtrit(self.freedom, POWER)
        found: Floats = np.minimum(1.0, quantiles * self.error)
        return found


def differences(changes: Floats, counted: Flags, placed: Layout, *, macro: bool = False) -> Differences:
    """The differences that the rows of `changes` (pairs x questions) stand for, over the questions `counted`.

    A change is the second run's value less the first's, between -1 and 1. Each row must count a question. With `macro`
    the strata count alike. The variance has a lower bound, see `_least`.
    """
    import numpy as np

    found = parts(changes, counted, placed, macro=macro)
    # A lone cluster is taken to vary as independent questions with one flip more do, times an assumed design effect.
    flips = (found.square * found.size + 1) / (found.size + 1)
    alone = found.weight**2 * flips / (found.size + 1) * (1 + ASSUMED_CORRELATION * (found.size - 1))
    variance, freedom = pooled(found, alone, _LONE_FREEDOM)
    value = found.estimate
    error = np.sqrt(np.maximum(variance, _least(found, value)))
    error = np.where(found.clusters < 2, np.inf, error)
    # Where nothing varied, nothing is known of how clusters vary: Student's t with two degrees is wide enough for it.
    freedom = np.where(variance > 0, np.maximum(freedom, 1.0), 2.0)
    return Differences(value, error, freedom, found.clusters, found.contribution)


def _least(found: Parts, value: Floats) -> Floats:
    """Half the variance of the mean of independent questions, of which one more flipped, against the difference.

    Half, since clusters do differ less by chance; without a bound at all, clusters that happen to be alike would make
    a difference certain.
    """
    import numpy as np

    n = found.questions
    flips = ((found.weight * found.square).sum(axis=1) * n + 1) / (n + 1)
    least: Floats = (flips - ((np.abs(value) * n - 1) / (n + 1)) ** 2) / (n + 1) / 2
    return np.maximum(0.0, least)


def joined(parts: Sequence[Differences], chosen: Sequence[Flags]) -> Differences:
    """The chosen of several differences as one, without what each cluster contributes."""
    import numpy as np

    value, error, freedom, clusters = (
        np.concatenate([column[flags] for column, flags in zip(columns, chosen, strict=True)])
        for columns in zip(*(part[:4] for part in parts), strict=True)
    )
    return Differences(value, error, freedom, clusters, np.zeros((len(value), 0)))


def sign_flip(found: Differences, *, seed: int = 0) -> Floats:
    """P-values by flipping which run is first, cluster by cluster: a second opinion that assumes nothing about how
    clusters vary, only that the runs are interchangeable within each if neither is better.

    Exact with up to 13 clusters, else over 9,999 random flips.
    """
    import numpy as np

    counted = found.contribution != 0
    number = counted.sum(axis=1)
    # What counts goes first, and the first signs are the same however many there are: so a pair's p doesn't depend on
    # what else is compared.
    front = np.argsort(~counted, axis=1, kind="stable")
    x = np.take_along_axis(found.contribution, front, axis=1)[:, : int(number.max(initial=0))]
    signs = np.random.default_rng(seed).integers(0, 2, size=(x.shape[1], _FLIPS)) * 2 - 1.0
    as_large = (np.abs(x @ signs) >= np.abs(x.sum(axis=1, keepdims=True)) - 1e-12).sum(axis=1)
    p: Floats = (1 + as_large) / (_FLIPS + 1)
    for row in (number <= _ALL_FLIPS).nonzero()[0]:
        p[row] = _all_flips(x[row, : number[row]])
    return p


def _all_flips(x: Floats) -> float:
    """The share of all flips that are as large as the contributions `x` are as they stand."""
    import numpy as np

    codes = np.arange(2 ** len(x)) >> np.arange(len(x))[:, None]
    return float((np.abs(x @ (1.0 - 2 * (codes & 1))) >= abs(float(x.sum())) - 1e-12).mean())


def mcnemar_exact(gained: int, lost: int) -> float:
    """Two-sided p-value of McNemar's exact test, which would hold if questions were independent.

    `gained` and `lost` are the numbers of questions that flipped in each direction; 1 where none did.
    """
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(gained, lost), gained + lost, 0.5)))
