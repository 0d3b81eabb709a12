"""Many looks at once: how p-values and intervals are corrected.

A family is what one reader looks through for something that stands out: all pairs of the runs at hand, or all domains
of these, or all question types. Looks that have no p-value (NaN: too few clusters) belong to no family.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from egocross_eval.scoring.difference import Differences

    Floats = NDArray[np.float64]


def holm(p_values: ArrayLike) -> Floats:
    """P-values adjusted by Holm's step-down method: the chance that any of them falls below 0.05 without reason is at
    most 5 % for the whole family."""
    import numpy as np

    given = np.asarray(p_values, dtype=np.float64)
    known = (~np.isnan(given)).nonzero()[0]
    order = known[np.argsort(given[known], kind="stable")]
    adjusted = np.full_like(given, math.nan)
    steps = np.arange(len(order), 0, -1)
    adjusted[order] = np.maximum.accumulate(np.minimum(1.0, steps * given[order]))
    return adjusted


def simultaneous(family: Differences, adjusted: Floats, level: float) -> tuple[Floats, Floats]:
    """Ends of intervals that hold their differences all together, and agree with Holm's `adjusted` p-values: 0 lies
    within the interval just where the adjusted p isn't below `level`.

    Those not shown share the level that Holm's method stopped at; those shown are Bonferroni's, cut at 0 (Strassburger
    and Bretz, Statistics in Medicine 27 (2008), 4914). Looks without a p-value get the interval that they have alone.
    """
    import numpy as np

    known = int((~np.isnan(adjusted)).sum())
    shown = adjusted < level
    low, high = family.interval(level / max(1, known))
    near_low, near_high = family.interval(level / max(1, known - int(shown.sum())))
    up, down = shown & (family.value > 0), shown & (family.value < 0)
    low = np.where(shown, np.where(up, np.maximum(low, 0.0), low), near_low)
    high = np.where(shown, np.where(down, np.minimum(high, 0.0), high), near_high)
    alone_low, alone_high = family.interval(level)
    return np.where(np.isnan(adjusted), alone_low, low), np.where(np.isnan(adjusted), alone_high, high)
