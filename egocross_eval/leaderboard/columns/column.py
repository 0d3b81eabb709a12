"""What every format needs of a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from egocross_eval.schema import Row

IntervalStyle = Literal["none", "half-width", "ends"]
"""How intervals are shown behind a figure: not at all, as `± 3.2` (half the width), or as `[41.9, 48.4]`."""
Field = str | int | float | None
"""A value in CSV."""
NOTHING = "–"
PUBLISHED = "(published)"
"""Behind the model of a row that others measured."""


class Ranked(NamedTuple):
    """A row in its board."""

    row: Row
    rank: int | None


class Column(NamedTuple):
    """What every format needs of a column."""

    name: str
    """As `--columns` takes it."""
    title: str
    meaning: str
    """In plain words, for a reader who points at the title."""
    text: Callable[[Ranked, IntervalStyle], str]
    """What a cell says."""
    fields: Mapping[str, Callable[[Ranked], Field]]
    """Its values in CSV by their names, in full precision. Cells are sorted by the first."""
    number: bool = False
    link: Callable[[Row], str] | None = None
    low_first: bool = False
    """The smaller, the better."""
    figure: str = ""
    """Name of the figure that it shows, if it shows one."""
    interval: bool = False
    """It shows the figure's interval, which pages draw."""
    runs_only: bool = False
    """Nothing is known of it for published rows."""
    known_only: bool = False
    """Left out where no row has a value, unless it was asked for."""


def points(share: float | None) -> float | None:
    """A share in percent."""
    return None if share is None else round(100 * share, 6)


def yes(value: bool) -> str:
    """In a word."""
    return "yes" if value else "no"
