"""Which rows stand in one table, in which order, and with which rank."""

from __future__ import annotations

import math
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.errors import unknown
from egocross_eval.scoring.intervals import Z95

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egocross_eval.schema import BenchmarkRecord, Figure, Row

SORT_KEYS = ("micro", "macro", "model", "date")
"""What boards can be sorted by, beside the groups of the macro axis."""


class Board(NamedTuple):
    """Rows over the same questions, in order, and the rank of each (None: not ranked)."""

    benchmark: BenchmarkRecord
    split: str
    question_count: int
    rows: list[Row]
    ranks: list[int | None]


def boards(rows: Sequence[Row], *, sort: str = "micro") -> list[Board]:
    """One board for each set of questions: accuracies over different questions can't be ranked together.

    Whole splits come first, then the others as they first occur. Rows are ordered by `sort`, best first
    (`model`: by name; `date`: newest first); equal rows by model and source, so that the order doesn't depend on that
    of the arguments. Incomplete rows come last in an order by accuracy.
    """
    known = [*SORT_KEYS, *dict.fromkeys(name for row in rows for name in row.parts)]
    if sort not in known:
        raise unknown("sort key", sort, known)
    groups: dict[tuple[str, str, int, str], list[Row]] = {}
    for row in rows:
        groups.setdefault(_questions(row), []).append(row)
    found = [_board(members, sort) for members in groups.values()]
    return sorted(found, key=lambda board: not _is_whole(board.rows[0]))


def _questions(row: Row) -> tuple[str, str, int, str]:
    """What rows must share to be ranked together. A whole split is one set, whoever published the row."""
    return row.benchmark.name, row.split, row.question_count, "" if _is_whole(row) else row.questions_hash


def _is_whole(row: Row) -> bool:
    return row.benchmark.sizes.get(row.split) == row.question_count


def _board(rows: Sequence[Row], sort: str) -> Board:
    ordered = sorted(rows, key=lambda row: (row.model.casefold(), row.source, row.origin_hash))
    if sort == "date":
        ordered.sort(key=lambda row: row.date, reverse=True)
    elif sort != "model":
        ordered.sort(key=lambda row: _score_order(row, sort))
    by = sort if sort not in ("model", "date") else "micro"
    first = rows[0]
    return Board(first.benchmark, first.split, first.question_count, ordered, ranks(ordered, by=by))


def _score_order(row: Row, by: str) -> tuple[bool, float]:
    figure = figure_of(row, by)
    return not row.complete, -figure.accuracy if figure is not None else math.inf


def figure_of(row: Row, name: str) -> Figure | None:
    """The figure of `micro`, `macro` or a group of the macro axis."""
    if name == "micro":
        return row.micro
    return row.macro if name == "macro" else row.parts.get(name)


def ranks(rows: Sequence[Row], *, by: str = "micro") -> list[int | None]:
    """1 + the number of rows that are better beyond noise; None for incomplete rows and those without the figure.

    So rows tie when none is shown to be better than the other. One row is better than another when the difference
    exceeds 1.96 standard errors, taken from the two intervals as if the runs were independent. Runs over the same
    questions agree on much, so this ties some that the paired test of `compare` can tell apart, and doesn't separate
    any by mere noise.
    """
    figures = [figure_of(row, by) if row.complete else None for row in rows]
    known = [figure for figure in figures if figure is not None]
    return [None if figure is None else 1 + sum(better(other, figure) for other in known) for figure in figures]


def better(first: Figure, second: Figure) -> bool:
    """True where `first` is better than `second` beyond what noise explains (at the 5 % level, unpaired)."""
    return first.accuracy - second.accuracy > Z95 * math.hypot(standard_error(first), standard_error(second))


def standard_error(figure: Figure) -> float:
    """Standard error that the width of a 95 % interval stands for."""
    return (figure.high - figure.low) / (2 * Z95)


def select(
    rows: Sequence[Row], *, models: Sequence[str] = (), splits: Sequence[str] = (), complete_only: bool = False
) -> list[Row]:
    """Rows whose model matches any of the globs (case is ignored), of the splits given, and complete if asked so."""
    patterns = [pattern.casefold() for pattern in models]
    return [
        row
        for row in rows
        if (not patterns or any(fnmatchcase(row.model.casefold(), pattern) for pattern in patterns))
        and (not splits or row.split in splits)
        and (row.complete or not complete_only)
    ]
