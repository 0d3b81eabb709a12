"""The columns of accuracies: micro, macro and the groups, each with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egocross_eval.leaderboard.columns.column import NOTHING, Column, Field, IntervalStyle, Ranked, points
from egocross_eval.leaderboard.ranking import figure_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from egocross_eval.schema import Figure, Row

DERIVED = "*"
DISAGREES = "†"


def figure_columns(name: str, title: str, meaning: str, *, key: str = "") -> list[Column]:
    """The columns of the figure `name`, called `key`: itself, and its interval."""
    key = key or name

    def value(get: Callable[[Figure], Field]) -> Callable[[Ranked], Field]:
        def found(ranked: Ranked) -> Field:
            figure = figure_of(ranked.row, name)
            return None if figure is None else get(figure)

        return found

    def ends(ranked: Ranked, _: IntervalStyle) -> str:
        figure = figure_of(ranked.row, name)
        return NOTHING if figure is None else f"{100 * figure.low:.1f} to {100 * figure.high:.1f}"

    low_high = {
        f"{key}_low": value(lambda figure: points(figure.low)),
        f"{key}_high": value(lambda figure: points(figure.high)),
    }
    fields = {
        key: value(lambda figure: points(figure.accuracy)),
        **low_high,
        f"{key}_right": value(lambda figure: figure.right),
        f"{key}_n": value(lambda figure: figure.n),
    }
    return [
        Column(
            key,
            title,
            meaning,
            lambda ranked, style: figure_text(ranked.row, name, style),
            fields,
            number=True,
            figure=name,
        ),
        Column(
            f"{key}-interval",
            f"{title}, 95 % interval",
            "Where the true share probably lies (see the notes).",
            ends,
            low_high,
            figure=name,
            interval=True,
        ),
    ]


def figure_text(row: Row, name: str, intervals: IntervalStyle = "none") -> str:
    """The percentage of `micro`, `macro` or a group of the macro axis, with marks for a lower bound, a derived and a
    disagreeing figure."""
    figure = figure_of(row, name)
    if figure is None:
        return NOTHING
    text = f"{100 * figure.accuracy:.{row.decimals}f}"
    if row.published and name == row.ranked_by and row.published_overall is not None:
        text = f"{row.published_overall:.{row.decimals}f}" + (DISAGREES if row.note else "")
    elif row.published and name in ("micro", "macro"):
        text += DERIVED
    if figure.open:
        text = f"≥ {text}"
    return text + interval_text(figure, intervals)


def interval_text(figure: Figure, style: IntervalStyle) -> str:
    """The interval in percent, to be put behind the percentage."""
    if style == "half-width":
        return f" ± {50 * (figure.high - figure.low):.1f}"
    return f" [{100 * figure.low:.1f}, {100 * figure.high:.1f}]" if style == "ends" else ""
