"""The leaderboard of the page: the tables of `leaderboard.table`, with what sorting and whiskers need."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.leaderboard.ranking import boards, figure_of
from egocross_eval.leaderboard.table import overall_columns, part_columns, table_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from egocross_eval.leaderboard.ranking import Board
    from egocross_eval.leaderboard.table import Cell
    from egocross_eval.schema import Figure, Row

_LEFT, _RIGHT = 6, 154
"""Ends of a whisker's axis in the units of its drawing, which is 160 wide."""

MEANINGS = {
    "Rank": "Models share a rank where chance alone could explain their difference.",
    "Micro": "Share of all questions answered right.",
    "Macro": "Mean of the domains' shares: every domain counts alike, whatever its size.",
    "Parsed": "Share of the answers that a letter could be read from. The others count as wrong.",
    "Complete": "Share of the questions that were answered at all.",
}
"""What a header means, in plain words."""


class Whisker(NamedTuple):
    """A figure drawn as a dot between the ends of its interval; places on the drawing's axis."""

    low: float
    middle: float
    high: float
    chance: float | None
    text: str


class SiteCell(NamedTuple):
    """A cell, with what it's sorted by (a number, or else its text) and a whisker."""

    text: str
    number: bool
    sort: str
    link: str = ""
    run: str = ""
    """Link name of the run, where the row is one run of the site."""
    whisker: Whisker | None = None


class SiteHeader(NamedTuple):
    """A column."""

    text: str
    number: bool
    meaning: str


class SiteTable(NamedTuple):
    """A board ready for the template."""

    title: str
    headers: list[SiteHeader]
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
    plain = table_of(board)
    scale = _scale(board)
    headers = [SiteHeader(cell.text, cell.number, MEANINGS.get(cell.text, "")) for cell in plain.headers]
    place = 1 + next(i for i, header in enumerate(headers) if header.text == "Micro")
    headers.insert(place, SiteHeader("95 % interval", False, "Where the true share probably lies (see the notes)."))
    names = ["", "", *overall_columns(board), *part_columns(board)]
    rows = []
    for row, cells in zip(board.rows, plain.rows, strict=True):
        shown = [_cell(row, cell, names[i] if i < len(names) else "") for i, cell in enumerate(cells)]
        shown[1] = shown[1]._replace(run=runs.get(row.origin_hash, ""))
        shown.insert(place, _interval(row.micro, scale))
        rows.append(shown)
    notes = [*plain.notes, "95 % interval of micro: the dot is the share, the line reaches over its interval."]
    return SiteTable(plain.title, headers, rows, notes, scale)


def _cell(row: Row, cell: Cell, name: str) -> SiteCell:
    figure = figure_of(row, name) if name else None
    sort = f"{figure.accuracy:.9f}" if figure is not None else cell.text
    return SiteCell(cell.text, cell.number, sort, link=cell.link if cell.link.startswith("http") else "")


def _interval(figure: Figure | None, scale: tuple[float, float]) -> SiteCell:
    if figure is None:
        return SiteCell("–", False, "–")
    ends = f"{100 * figure.low:.1f} to {100 * figure.high:.1f}"

    def place(share: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * (100 * share - scale[0]) / (scale[1] - scale[0]), 1)

    chance = place(figure.chance) if figure.chance is not None else None
    if chance is not None and not _LEFT <= chance <= _RIGHT:
        chance = None
    whisker = Whisker(place(figure.low), place(figure.accuracy), place(figure.high), chance, ends)
    return SiteCell(ends, False, f"{figure.accuracy:.9f}", whisker=whisker)


def _scale(board: Board) -> tuple[float, float]:
    """Tens of percent around all intervals of micro."""
    figures = [row.micro for row in board.rows if row.micro is not None]
    if not figures:
        return 0.0, 100.0
    low = 10.0 * math.floor(10 * min(figure.low for figure in figures))
    high = 10.0 * math.ceil(10 * max(figure.high for figure in figures))
    return low, max(high, low + 10)
