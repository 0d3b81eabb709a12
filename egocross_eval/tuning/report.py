"""What a choice rests on: `tuned.json`, and the same as text."""

from __future__ import annotations

import msgspec


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A way to ask. Shares and differences are fractions; differences are from the first way."""

    name: str
    run: str
    """Name of its run folder."""
    accuracy: float
    requests: float
    """A question."""
    tokens: float | None
    """Read and written for a question; None where they aren't counted."""
    difference: float
    low: float
    high: float
    """Ends of the 95 % interval of the difference, which hold for all ways together."""
    p_adjusted: float | None
    """Corrected for all ways (Holm); None for the first way, and where there are too few clusters."""
    expected: float
    """The difference that is to be expected, in all questions."""
    by_group: dict[str, float]
    """Differences by group, as they look."""
    expected_by_group: dict[str, float]
    shown_by_group: tuple[str, ...] = ()
    """Groups in which it's shown to differ, all ways and groups being one family (Holm)."""


class HeldOut(msgspec.Struct, frozen=True, kw_only=True):
    """The choice made again without each fold of the clusters, and measured on that fold."""

    folds: int
    difference: float
    """Of what was chosen from the first way."""
    low: float
    high: float


class Tuned(msgspec.Struct, frozen=True, kw_only=True):
    """`tuned.json`."""

    schema_version: int
    questions: int
    left_out: int
    cluster: str
    """What a cluster is, e.g. `source video`."""
    clusters: dict[str, int]
    """By group."""
    by: str
    ways: tuple[Way, ...]
    choice: dict[str, str]
    """Name of the chosen way by group."""
    expected: float
    """Gain of the choice over the first way that is to be expected, as a fraction."""
    error: float
    """Standard error of that."""
    apparent: float
    """The gain as it looks."""
    best_by_group_apparent: float
    """Gain of the best way of each group, as it looks."""
    best_by_group_expected: float
    overall_spread: float
    """Standard deviation of what ways truly differ by in all groups alike, as a fraction."""
    group_spread: float
    """Of what is added in each group."""
    detectable: dict[int, float]
    """The smallest difference that is shown in 80 % of cases, by how many times these clusters there are; without those
    that are too few for any to be shown."""
    held_out: HeldOut

    @property
    def looked_at(self) -> int:
        """Number of ways."""
        return len(self.ways)
