"""The leaderboard of the page: the tables of `leaderboard.table`, with what sorting and whiskers need."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.leaderboard.columns.column import NOTHING, Ranked
from egocross_eval.leaderboard.columns.declared import EFFICIENCY, TABLE
from egocross_eval.leaderboard.ranking import boards, figure_of
from egocross_eval.leaderboard.table import table_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from egocross_eval.leaderboard.columns.column import Column
    from egocross_eval.leaderboard.ranking import Board
    from egocross_eval.leaderboard.table import Cell
    from egocross_eval.schema import Figure, Row

_LEFT, _RIGHT = 6, 154
"""Ends of a whisker's axis in the units of its drawing, which is 160 wide."""

_COLUMNS = tuple(
    part for name in (*TABLE, *EFFICIENCY) for part in ((name, "micro-interval") if name == "micro" else (name,))
)
"""Those of every table, the interval of micro, which is drawn, and what answers took."""


class Whisker(NamedTuple):
    """A figure drawn as a dot between the ends of its interval; places on the drawing's axis."""

    low: float
    middle: float
    high: float
    chance: float | None


class SiteCell(NamedTuple):
    """A cell, with what it's sorted by (a number, or else its text) and a whisker."""

    text: str
    column: Column
    sort: str
    link: str = ""
    run: str = ""
    """Link name of the run, where the row is one run of the site."""
    whisker: Whisker | None = None


class SiteTable(NamedTuple):
    """A board ready for the template."""

    title: str
    columns: list[Column]
    rows: list[list[SiteCell]]
    notes: list[str]
    scale: tuple[float, float]
    """Percentages at the ends of the whiskers' axis."""


def site_tables(rows: Sequence[Row], runs: Mapping[str, str]) -> list[SiteTable]:
    """A table for each set of questions, in the order and with the ranks of every other leaderboard.

    `runs` holds link names by `origin_hash`. Tables with rows of the site's runs come first.
    """
    found = sorted(boards(rows), key=lambda board: all(row.published for row in board.rows))
    return [_table(board, runs) for board in found]


def _table(board: Board, runs: Mapping[str, str]) -> SiteTable:
    plain = table_of(board, default=_COLUMNS)
    scale = _scale(board)
    rows = [
        [_cell(column, Ranked(row, rank), cell, scale, runs) for column, cell in zip(plain.columns, cells, strict=True)]
        for row, rank, cells in zip(board.rows, board.ranks, plain.rows, strict=True)
    ]
    notes = [*plain.notes, "95 % interval of micro: the dot is the share, the line reaches over its interval."]
    return SiteTable(plain.title, plain.columns, rows, notes, scale)


def _cell(column: Column, ranked: Ranked, cell: Cell, scale: tuple[float, float], runs: Mapping[str, str]) -> SiteCell:
    value = next(iter(column.fields.values()))(ranked)
    return SiteCell(
        cell.text,
        column,
        NOTHING if value is None else str(value),
        link=cell.link if cell.link.startswith("http") else "",
        run=runs.get(ranked.row.origin_hash, "") if column.name == "model" else "",
        whisker=_whisker(figure_of(ranked.row, column.figure), scale) if column.interval else None,
    )


def _whisker(figure: Figure | None, scale: tuple[float, float]) -> Whisker | None:
    if figure is None:
        return None

    def place(share: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * (100 * share - scale[0]) / (scale[1] - scale[0]), 1)

    chance = place(figure.chance) if figure.chance is not None else None
    if chance is not None and not _LEFT <= chance <= _RIGHT:
        chance = None
    return Whisker(place(figure.low), place(figure.accuracy), place(figure.high), chance)


def _scale(board: Board) -> tuple[float, float]:
    """Tens of percent around all intervals of micro."""
    figures = [row.micro for row in board.rows if row.micro is not None]
    if not figures:
        return 0.0, 100.0
    low = 10.0 * math.floor(10 * min(figure.low for figure in figures))
    high = 10.0 * math.ceil(10 * max(figure.high for figure in figures))
    return low, max(high, low + 10)
