"""The mean of any values of questions that come in clusters, with its 95 % interval: for what is no share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from egocross_eval.scoring.accuracy import ASSUMED_CORRELATION, LEVEL
from egocross_eval.scoring.clusters import layout, parts, pooled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike


class Estimate(msgspec.Struct, frozen=True):
    """A mean and its 95 % interval."""

    value: float
    low: float
    high: float
    error: float
    """Standard error."""
    n: int

    def within(self, least: float, most: float) -> Estimate:
        """With value and ends kept between bounds."""
        value, low, high = (min(most, max(least, one)) for one in (self.value, self.low, self.high))
        return msgspec.structs.replace(self, value=value, low=low, high=high)


def clustered_mean(
    values: ArrayLike,
    clusters: Sequence[str],
    strata: Sequence[str],
    *,
    macro: bool = False,
    least_error: float = 0.0,
) -> Estimate:
    """The mean of `values` (one for each question with its cluster and stratum, at least one), CR2 by cluster and with
    Student's quantile at Welch and Satterthwaite's degrees of freedom; the error is at least `least_error`.

    A single cluster tells nothing of how clusters differ: its variance is that of its values with an assumed
    correlation.
    """
    import numpy as np
    from scipy.special import stdtrit

    row = np.asarray(values, dtype=np.float64)[None, :]
    found = parts(row, np.ones(row.shape, dtype=np.bool_), layout(clusters, strata), macro=macro)
    spread = np.maximum(0.0, found.square - found.mean**2)
    alone = found.weight**2 * spread / np.maximum(found.size, 1) * (1 + ASSUMED_CORRELATION * (found.size - 1))
    variance, freedom = (float(one[0]) for one in pooled(found, alone))
    error = max(variance**0.5, least_error)
    value = float(found.estimate[0])
    half = float(stdtrit(max(freedom, 1.0) if variance > 0 else 2.0, 1 - LEVEL / 2)) * error
    return Estimate(value, value - half, value + half, error, row.shape[1])
