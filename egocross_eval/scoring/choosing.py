"""Chooses among ways to ask: the cheaper one where the questions can't tell, one for all groups unless they say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egocross_eval.scoring.shrinkage import Shrunk

ENOUGH = 0.8
"""Probability of being better that makes up for a change, or for a price."""

_SAME_PRICE = 0.9
"""A way that costs less than this share of another is cheaper."""


def choose(found: Shrunk, costs: Sequence[float]) -> list[int]:
    """The way for each group, by what each costs; of equally cheap ways the first is the one to be beaten.

    One way for all groups is chosen first. A group gets another where that is better there with the probability
    `ENOUGH`.
    """
    number = len(found.groups)
    cheapest = min(range(len(costs)), key=lambda way: (costs[way], way))
    common = _best(found, costs, [cheapest] * number, list(range(number)))
    return [_best(found, costs, [common] * number, [d]) if number > 1 else common for d in range(number)]


def _best(found: Shrunk, costs: Sequence[float], now: Sequence[int], places: Sequence[int]) -> int:
    """The way for the groups at `places`, which have the way `now` so far and keep it where the rest isn't better."""

    def instead(way: int) -> list[int]:
        return [way if d in places else before for d, before in enumerate(now)]

    ways = range(len(costs))
    best = max(ways, key=lambda way: found.gain(instead(way), now)[0])
    if found.surely(instead(best), now) < ENOUGH:
        return now[places[0]]
    as_good = [
        way
        for way in ways
        if costs[way] < _SAME_PRICE * costs[best]
        and found.surely(instead(way), now) >= ENOUGH
        and found.surely(instead(best), instead(way)) < ENOUGH
    ]
    return min([best, *as_good], key=lambda way: costs[way])
