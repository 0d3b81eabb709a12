"""Which rows stand in one table, in which order, and with which rank."""

from __future__ import annotations

import math
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.errors import unknown
from egocross_eval.scoring.intervals import Z95
from egocross_eval.tasks.egocross.catalogue import CELLS, DOMAINS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egocross_eval.schema import Figure, Row

TESTBED_QUESTIONS = sum(cell.count for cell in CELLS)
SORT_KEYS = ("micro", "macro", *DOMAINS, "model", "date")


class Board(NamedTuple):
    """Rows over the same questions, in order, and the rank of each (None: not ranked)."""

    split: str
    question_count: int
    rows: list[Row]
    ranks: list[int | None]


def boards(rows: Sequence[Row], *, sort: str = "micro") -> list[Board]:
    """One board for each set of questions: accuracies over different questions can't be ranked together.

    The whole testbed comes first, then the others as they first occur. Rows are ordered by `sort`, best first
    (`model`: by name; `date`: newest first); equal rows by model and source, so that the order doesn't depend on that
    of the arguments. Incomplete rows come last in an order by accuracy.
    """
    if sort not in SORT_KEYS:
        raise unknown("sort key", sort, SORT_KEYS)
    groups: dict[tuple[str, int, str], list[Row]] = {}
    for row in rows:
        groups.setdefault(_questions(row), []).append(row)
    found = [_board(key, members, sort) for key, members in groups.items()]
    return sorted(found, key=lambda board: (board.split, board.question_count) != ("testbed", TESTBED_QUESTIONS))


def _questions(row: Row) -> tuple[str, int, str]:
    """What rows must share to be ranked together. The whole testbed is one set, whoever published the row."""
    whole = (row.split, row.question_count) == ("testbed", TESTBED_QUESTIONS)
    return row.split, row.question_count, "" if whole else row.questions_hash


def _board(key: tuple[str, int, str], rows: Sequence[Row], sort: str) -> Board:
    ordered = sorted(rows, key=lambda row: (row.model.casefold(), row.source, row.origin_hash))
    if sort == "date":
        ordered.sort(key=lambda row: row.date, reverse=True)
    elif sort != "model":
        ordered.sort(key=lambda row: _score_order(row, sort))
    by = sort if sort not in ("model", "date") else "micro"
    return Board(key[0], key[1], ordered, ranks(ordered, by=by))


def _score_order(row: Row, by: str) -> tuple[bool, float]:
    figure = figure_of(row, by)
    return not row.complete, -figure.accuracy if figure is not None else math.inf


def figure_of(row: Row, name: str) -> Figure | None:
    """The figure of `micro`, `macro` or a domain."""
    if name == "micro":
        return row.micro
    return row.macro if name == "macro" else row.domains.get(name)


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
