"""Ranks of rows on a board, some of which carry their outcomes by question and some only their figures."""

from __future__ import annotations

import statistics
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.scoring.accuracy import LEVEL
from egocross_eval.scoring.board import Pairs, pairs
from egocross_eval.scoring.clusters import layout
from egocross_eval.scoring.difference import FEWEST_CLUSTERS
from egocross_eval.scoring.families import holm
from egocross_eval.scoring.outcomes import table
from egocross_eval.scoring.quantiles import normal_quantile, two_sided

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from egocross_eval.schema import Figure
    from egocross_eval.scoring.outcomes import Compact, Table

    Floats = NDArray[np.float64]


class Candidate(NamedTuple):
    """A row to be ranked: its figure, and what each question is worth where that's known."""

    figure: Figure
    outcomes: Compact


class Standing(NamedTuple):
    """Ranks, and what they rest on."""

    ranks: list[int]
    """1 + the number of candidates that are shown to be better."""
    paired: int
    """Pairs compared question by question."""
    unpaired: int
    """Pairs compared by their figures, as one of them has no outcomes or has them of other questions."""
    smallest: float | None
    """The difference that these pairs show in 80 % of cases, corrected for their number; the median over the
    pairs. None where no pair has enough clusters for a p-value: no two are told apart."""


def standing(candidates: Sequence[Candidate], *, part: str = "", macro: bool = False) -> Standing:
    """Ranks candidates by all questions, by one `part` of the macro average, or by that average.

    Pairs over the same questions are compared as `compare` does it, corrected for all of them (Holm): the chance that
    any two equal candidates are told apart is at most 5 % for the whole board. Pairs that can't be paired are a family
    of their own.
    """
    if len(candidates) < 2:
        return Standing([1] * len(candidates), 0, 0, None)
    usable = [bool(one.outcomes) and (not part or part in one.outcomes) for one in candidates]
    tables = [table(one.outcomes) if use else None for one, use in zip(candidates, usable, strict=True)]
    ranks = [1] * len(candidates)
    paired: set[tuple[int, int]] = set()
    smallest: list[float] = []
    for members in _alike(tables):
        found, adjusted, size = _paired([tables[place] for place in members], part, macro)
        ends = [(members[a], members[b]) for a, b in zip(found.first.tolist(), found.second.tolist(), strict=True)]
        paired.update(ends)
        _count_worse(ranks, ends, found.differences.value, adjusted)
        enough = found.differences.clusters >= FEWEST_CLUSTERS
        smallest += found.differences.detectable(LEVEL / size)[enough].tolist()
    apart = [pair for pair in combinations(range(len(candidates)), 2) if pair not in paired]
    values, p_values = _unpaired(candidates, apart)
    _count_worse(ranks, apart, values, holm(p_values))
    return Standing(ranks, len(paired), len(apart), statistics.median(smallest) if smallest else None)


def _alike(tables: Sequence[Table | None]) -> list[list[int]]:
    """Places of those that have the same questions, at least two."""
    groups: list[list[int]] = []
    for place, one in enumerate(tables):
        if one is None or None in one.credits:
            continue
        group = next((members for members in groups if one.alike(_known(tables[members[0]]))), None)
        if group is None:
            groups.append([place])
        else:
            group.append(place)
    return [members for members in groups if len(members) > 1]


def _known(one: Table | None) -> Table:
    assert one is not None
    return one


def _paired(tables: Sequence[Table | None], part: str, macro: bool) -> tuple[Pairs, Floats, int]:
    """All pairs compared, their corrected p-values, and the number of looks that these are corrected for: as in
    `compare`, the looks at one part are a family with those at all others."""
    import numpy as np

    others = dict.fromkeys(_known(tables[0]).parts)
    found = [_compared(tables, name, macro) for name in ([part, *(others.keys() - {part})] if part else [""])]
    p_values = np.concatenate([one.differences.p() for one in found])
    size = max(1, int((~np.isnan(p_values)).sum()))
    return found[0], holm(p_values)[: len(found[0].first)], size


def _compared(tables: Sequence[Table | None], part: str, macro: bool) -> Pairs:
    import numpy as np

    first = _known(tables[0])
    chosen = [place for place, name in enumerate(first.parts) if not part or name == part]
    values = np.array([[_known(one).credits[place] for place in chosen] for one in tables], dtype=np.float64)
    placed = layout([first.clusters[place] for place in chosen], [first.parts[place] for place in chosen])
    return pairs(values, np.ones(values.shape, dtype=np.bool_), placed, macro=macro)


def _unpaired(candidates: Sequence[Candidate], apart: Sequence[tuple[int, int]]) -> tuple[list[float], list[float]]:
    """Differences of the figures of each pair, second less first, and p-values as if they were independent."""
    values, p_values = [], []
    for a, b in apart:
        first, second = candidates[a].figure, candidates[b].figure
        value = second.accuracy - first.accuracy
        widths = (first.high - first.low) ** 2 + (second.high - second.low) ** 2
        error = widths**0.5 / (2 * normal_quantile(1 - LEVEL / 2))
        values.append(value)
        p_values.append(two_sided(value / error) if error > 0 else float(value == 0))
    return values, p_values


def _count_worse(
    ranks: list[int], ends: Sequence[tuple[int, int]], values: Iterable[float], adjusted: Iterable[float]
) -> None:
    """Adds 1 to the rank of the worse of each pair that is told apart; `values` are second less first."""
    for (first, second), value, p in zip(ends, values, adjusted, strict=True):
        if p < LEVEL:
            ranks[first if value > 0 else second] += 1
