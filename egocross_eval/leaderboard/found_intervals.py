"""Intervals as they are found now: what others wrote may have those of an earlier version, and a board shows one kind.

They follow from the outcomes, so they're found from these, and those that stand beside them are neither compared nor
believed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from egocross_eval.scoring.outcomes import interval_of, table

if TYPE_CHECKING:
    from egocross_eval.schema import Figure, Row
    from egocross_eval.scoring.outcomes import Table

_ROUNDED = 1e-5
"""What an interval may differ by, as outcomes are written with six digits."""


def with_found_intervals(row: Row) -> Row:
    """The row with the intervals that its outcomes give; itself where it has none. Raises `DataError` where they aren't
    of the compact form."""
    if row.micro is None or not row.outcomes:
        return row
    outcomes = table(row.outcomes)
    return replace(
        row,
        micro=_found(row.micro, outcomes),
        macro=_found(row.macro, outcomes, macro=True) if row.macro is not None else None,
        parts={name: _found(figure, outcomes, part=name) for name, figure in row.parts.items()},
    )


def _found(figure: Figure, outcomes: Table, *, part: str = "", macro: bool = False) -> Figure:
    least = interval_of(outcomes, part=part, macro=macro)
    most = interval_of(outcomes, part=part, macro=macro, best=True) if None in outcomes.credits else least
    # A figure that isn't that of the outcomes still lies within its interval.
    low, high = min(least.low, figure.accuracy), max(most.high, figure.accuracy)
    return replace(figure, low=low, high=high, interval=least.method)


def has_found_intervals(row: Row) -> bool:
    """Whether the row's intervals are those that its outcomes give, as far as these are written."""
    found = with_found_intervals(row)
    return all(
        abs(one.low - other.low) <= _ROUNDED and abs(one.high - other.high) <= _ROUNDED
        for one, other in zip(_figures(row), _figures(found), strict=True)
    )


def _figures(row: Row) -> list[Figure]:
    return [figure for figure in (row.micro, row.macro, *row.parts.values()) if figure is not None]
