"""Every pair of the runs that a site compares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egocross_eval.scoring.align import Aligned
from egocross_eval.scoring.comparison import PairOf
from egocross_eval.scoring.comparison import compare_pairs as compare_aligned

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egocross_eval.leaderboard.site.inputs import SiteRun
    from egocross_eval.leaderboard.site.pool import Pool


def compare_pairs(runs: Sequence[SiteRun], pool: Pool, chosen: Iterable[int]) -> list[PairOf]:
    """Each two of the `chosen` runs (numbers), as `compare` of these runs has it; pairs that share no question are left
    out."""
    numbers = sorted(chosen)
    if not numbers:
        return []
    aligned = Aligned(pool.questions, [pool.samples[number] for number in numbers])
    found = compare_aligned([runs[number] for number in numbers], aligned)
    return [pair._replace(first=numbers[pair.first], second=numbers[pair.second]) for pair in found]
