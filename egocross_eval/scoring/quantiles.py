"""Quantiles of the normal and of Student's distribution for single figures.

Every run ends with a few dozen intervals, and importing scipy for them takes longer than all else that a small run
does. Where whole arrays are wanted, scipy's are used.
"""

from __future__ import annotations

import math
from statistics import NormalDist

_NORMAL = NormalDist()


def normal_quantile(share: float) -> float:
    """What a normal variable is below with probability `share`."""
    return _NORMAL.inv_cdf(share)


def two_sided(z: float) -> float:
    """Probability of a normal variable at least as far from 0 as `z`."""
    return math.erfc(abs(z) / math.sqrt(2))


def t_quantile(share: float, freedom: float) -> float:
    """What Student's t is below with probability `share` (0.97 or more), with 4 degrees of freedom or more.

    By Hill's expansion (Algorithm 396, CACM 13 (1970), 619), right to five digits.
    """
    tails = 2 * (1 - share)
    a = 1 / (freedom - 0.5)
    b = 48 / a**2
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * math.sqrt(a * math.pi / 2) * freedom
    y = (d * tails) ** (2 / freedom)
    if y > 0.05 + a:
        x = _NORMAL.inv_cdf(tails / 2)
        y = x * x
        if freedom < 5:
            c += 0.3 * (freedom - 4.5) * (x + 0.6)
        c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c
        y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
        y = math.expm1(a * y * y)
    else:
        inner = 1 / (((freedom + 6) / (freedom * y) - 0.089 * d - 0.822) * (freedom + 2) * 3)
        y = ((inner + 0.5 / (freedom + 4)) * y - 1) * (freedom + 1) / (freedom + 2) + 1 / y
    return math.sqrt(freedom * y)
