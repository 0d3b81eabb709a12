"""A comparison in one plain sentence, the same wherever it's told."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from egocross_eval.scoring.comparison import Comparison


def verdict_sentence(comparison: Comparison) -> str:
    """E.g. `No difference shown: B has 4.3 points more than A (-0.8 to 8.8).`"""
    look = comparison.micro
    ahead, behind, sign = comparison.second, comparison.first, 1
    if look.difference < 0:
        ahead, behind, sign = behind, ahead, -1
    low, high = sorted((100 * sign * look.low, 100 * sign * look.high))
    found = f"{ahead} has {100 * abs(look.difference):.1f} points more than {behind}"
    if math.isclose(look.difference, 0, abs_tol=1e-9):  # a sum over clusters
        found = f"{ahead} and {behind} have equally many of {look.n:,} questions right"
    ends = f"({_ends(low, high)})"
    if comparison.verdict == "too few":
        clusters = f"{look.clusters} {comparison.cluster}{'' if look.clusters == 1 else 's'}"
        return f"Too few {comparison.cluster}s to tell ({clusters}): {found} {ends}."
    if comparison.verdict == "shown":
        return f"{ahead} is better than {behind}: {100 * abs(look.difference):.1f} points more {ends}."
    smallest = f"; {100 * look.smallest:.1f} points would be shown in 80 % of cases" if look.smallest < 1 else ""
    return f"No difference shown: {found} {ends}{smallest}."


def _ends(low: float, high: float) -> str:
    return f"{_signless(low)} to {_signless(high)}"


def _signless(value: float) -> str:
    """One decimal, and no minus before a zero."""
    text = f"{value:.1f}"
    return "0.0" if text == "-0.0" else text
