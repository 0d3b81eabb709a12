"""Whether a checkpoint is better or worse than the one that it's compared with, at looks that were planned before.

A training that is looked at after every checkpoint shows a difference by chance sooner or later. So the looks are
planned: at most five, spread evenly over the checkpoints that the training is to have, and each may err in a fifth of
5 % of cases. Other checkpoints are drawn, and nothing is said of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from egocross_eval.scoring.accuracy import LEVEL
from egocross_eval.scoring.align import align
from egocross_eval.scoring.clusters import layout
from egocross_eval.scoring.comparison import ComparedRun
from egocross_eval.scoring.difference import differences
from egocross_eval.scoring.matrix import matrix

MOST_LOOKS = 5

Verdict = Literal["better", "worse", "within noise", "too few"]


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """A planned look. Differences are fractions, the checkpoint less what it's compared with."""

    number: int
    of: int
    difference: float
    low: float
    high: float
    """Ends of the interval, which hold for all looks together in 95 % of cases."""
    verdict: Verdict


def look_places(planned: int) -> list[int]:
    """Which of the `planned` checkpoints are looked at, counted from 1; the last one always is."""
    looks = min(MOST_LOOKS, planned)
    return [-(-planned * look // looks) for look in range(1, looks + 1)]


def look_at(first: ComparedRun, second: ComparedRun, number: int, of: int) -> Look | None:
    """The look `number` of `of` at the second run against the first; None where they share no scored question."""
    import numpy as np

    found = matrix(align([first, second]), first.record.benchmark)
    places = (found.scored[0] & found.scored[1]).nonzero()[0].tolist()
    if not places:
        return None
    changes = (found.credit[1] - found.credit[0])[None, places]
    placed = layout([found.clusters[i] for i in places], [found.parts[i] for i in places])
    compared = differences(changes, np.ones(changes.shape, dtype=np.bool_), placed)
    low, high = compared.interval(LEVEL / of)
    value, p = float(compared.value[0]), float(compared.p()[0])
    return Look(
        number=number,
        of=of,
        difference=value,
        low=float(low[0]),
        high=float(high[0]),
        verdict=_verdict(p, value, of),
    )


def _verdict(p: float, value: float, of: int) -> Verdict:
    if math.isnan(p):
        return "too few"
    if p >= LEVEL / of:
        return "within noise"
    return "better" if value > 0 else "worse"


def due(place: int, planned: int) -> int:
    """The number of the look that is due at the checkpoint at `place`, counted from 1; 0: none."""
    places: Sequence[int] = look_places(planned)
    return places.index(place) + 1 if place in places else 0
