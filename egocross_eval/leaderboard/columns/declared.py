"""All columns that leaderboards can have, by name, and the choice among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egocross_eval.errors import unknown
from egocross_eval.leaderboard.columns.about import ABOUT, MODEL, RANK
from egocross_eval.leaderboard.columns.column import Column, Ranked
from egocross_eval.leaderboard.columns.efficiency import EFFICIENCY_COLUMNS
from egocross_eval.leaderboard.columns.figures import figure_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egocross_eval.leaderboard.ranking import Board

PARTS = "parts"
"""Stands for the figures of all groups of the macro axis wherever columns are named."""
_PARTS_INTERVALS = f"{PARTS}-interval"
TABLE = ("rank", "model", "micro", "macro", PARTS, "parsed", "filtered", "complete", "settings", "date", "source")
"""What a table shows where nothing else is said."""
EFFICIENCY = ("speed", "right-tokens", "reused", "first-token", "per-token", "frame", "price")
"""What answers took: on pages, and in tables that ask for it."""
PAPER = ("model", "micro", "macro", PARTS)
"""What fits a page of a paper."""


def declared(boards: Sequence[Board]) -> dict[str, Column]:
    """All columns that these boards can have, by name."""
    benchmarks = {board.benchmark.name: board.benchmark for board in boards}.values()
    micro = figure_columns("micro", "Micro", "Share of all questions answered right.")
    columns = [RANK, MODEL, *micro]
    for benchmark in benchmarks:
        axis = benchmark.grouping(benchmark.macro)
        if axis is not None:
            meaning = f"Mean of the {axis.title}s' shares: each counts alike, whatever its size."
            columns += figure_columns("macro", "Macro", meaning)
    for board in boards:
        axis = board.benchmark.grouping(board.benchmark.macro)
        for name, title in part_titles(board).items():
            meaning = f"Share of the questions of this {axis.title if axis else 'group'} answered right."
            columns += figure_columns(name, title, meaning, key=_part_key(name))
    return {column.name: column for column in [*columns, *EFFICIENCY_COLUMNS, *ABOUT]}


def _part_key(name: str) -> str:
    """Name of the column of a group; groups may be called like any other column."""
    return f"part-{name}" if name in _FIXED else name


def part_titles(board: Board) -> dict[str, str]:
    """Titles of the groups of the macro axis that occur, by name."""
    return board.benchmark.part_titles({name for row in board.rows for name in row.parts})


def chosen(board: Board, names: Sequence[str] | None, *, default: Sequence[str] = TABLE) -> list[Column]:
    """The columns named, as far as this board has them; without names the default ones of which something is known."""
    known = declared([board])
    parts = [_part_key(name) for name in part_titles(board)]
    families = {PARTS: parts, _PARTS_INTERVALS: [f"{part}-interval" for part in parts]}
    wanted = [column for name in names or default for column in families.get(name, [name])]
    columns = [known[name] for name in dict.fromkeys(wanted) if name in known]
    if names is None and all(row.published for row in board.rows):
        columns = [column for column in columns if not column.runs_only]
    if names is None:
        columns = [column for column in columns if not column.known_only or _known(column, board)]
    if names is None and not any(row.counts.get("filtered") for row in board.rows):
        columns = [column for column in columns if column.name != "filtered"]
    return columns


def _known(column: Column, board: Board) -> bool:
    """Whether some row has a value."""
    get = next(iter(column.fields.values()))
    return any(get(Ranked(row, None)) is not None for row in board.rows)


def check_names(names: Iterable[str], boards: Sequence[Board]) -> None:
    """Raises `UsageError` for a name that no board has a column of."""
    known = (PARTS, _PARTS_INTERVALS, *declared(boards))
    for name in names:
        if name not in known:
            raise unknown("column", name, known)


_FIXED = frozenset({PARTS, "micro", "macro", *(column.name for column in (RANK, MODEL, *EFFICIENCY_COLUMNS, *ABOUT))})
