"""Statistics of two runs on the same questions: test, interval of the difference, correction for many looks, size
needed."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

from egocross_eval.scoring.intervals import REPLICATES, Z95, Interval, clustered, strata_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

POWER = 0.8
"""Chance of showing a true difference that `questions_needed` plans for."""


def mcnemar_exact(gained: int, lost: int) -> float:
    """Two-sided p-value of McNemar's exact test: is right-to-wrong as frequent as wrong-to-right?

    `gained` and `lost` are the numbers of questions that flipped in each direction; 1 where none did.
    """
    flipped = gained + lost
    tail = sum(math.comb(flipped, k) for k in range(min(gained, lost) + 1))
    return min(1.0, 2 * tail / (1 << flipped))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted by Holm's step-down method: below 0.05 for any of them has a chance of at most 5 % overall."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for step, index in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - step) * p_values[index]))
        adjusted[index] = running
    return adjusted


def difference_interval(
    changes: Mapping[str, Mapping[str, Sequence[int]]],
    *,
    macro: bool = False,
    seed: int = 0,
    replicates: int = REPLICATES,
) -> Interval:
    """95 % interval of the difference of two accuracies on the same questions, videos resampled within each domain.

    `changes` holds, by domain and video, +1 for each question gained, -1 for each lost and 0 for the others. With
    `macro` the domains count alike, else by their numbers of questions. Where the videos can't tell (a domain with
    one question, no question flipped), it's the adjusted Wald interval, which takes questions as independent (Agresti
    and Min, Biometrics 2005).
    """
    strata = strata_of(changes)
    sizes = [sum(stratum.sizes) for stratum in strata]
    weights = [1 / len(strata) if macro else size / sum(sizes) for size in sizes]
    found = clustered(strata, weights, bounds=(-1.0, 1.0), seed=seed, replicates=replicates)
    if found is not None:
        return found
    groups = [[value for values in videos.values() for value in values] for videos in changes.values()]
    if macro:
        return _adjusted_wald(groups)
    return _adjusted_wald([[value for group in groups for value in group]])


def _adjusted_wald(groups: Sequence[Sequence[int]]) -> Interval:
    """Interval of the mean over `groups` of their mean change, with two questions added to each that flip either
    way."""
    centre = variance = 0.0
    for group in groups:
        n = len(group) + 2
        difference = sum(group) / n
        flipped = (sum(map(abs, group)) + 1) / n
        centre += difference / len(groups)
        variance += (flipped - difference * difference) / n / len(groups) ** 2
    half = Z95 * math.sqrt(variance)
    return Interval(max(-1.0, centre - half), min(1.0, centre + half), "adjusted wald")


def questions_needed(gained: int, lost: int, n: int, interval: Interval) -> int | None:
    """About how many questions would show a difference as large as the one found, in 80 % of cases at the 5 % level.

    Connor's formula for McNemar's test (Biometrics 1987), times the design effect of the videos: the variance that the
    clustered `interval` stands for over that of independent questions (at least 1). None where there's no difference.
    """
    difference, flipped = (gained - lost) / n, (gained + lost) / n
    if difference == 0:
        return None
    power = NormalDist().inv_cdf(POWER)
    spread = flipped - difference * difference
    plain = (Z95 * math.sqrt(flipped) + power * math.sqrt(max(spread, 0.0))) ** 2 / difference**2
    error = (interval.high - interval.low) / (2 * Z95)
    effect = max(1.0, error * error * n / spread) if spread > 0 else 1.0
    return math.ceil(plain * effect)
