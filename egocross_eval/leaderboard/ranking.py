"""Which rows stand in one table, in which order, and with which rank."""

from __future__ import annotations

import math
from collections import Counter
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.errors import unknown
from egocross_eval.scoring.standing import Candidate, Standing, standing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from egocross_eval.schema import BenchmarkRecord, Figure, Row

SORT_KEYS = ("micro", "macro", "model", "date")
"""What boards can be sorted by, beside the groups of the macro axis."""


class Board(NamedTuple):
    """Rows over the same questions, in order, and the rank of each (None: not ranked)."""

    benchmark: BenchmarkRecord
    split: str
    question_count: int
    asked: str
    """Beginning of the hash of what was asked, where boards over a whole split differ in it."""
    answers: str
    """Beginning of the hash of the answers that the rows were scored with, where boards differ in them."""
    rows: list[Row]
    ranks: list[int | None]
    standing: Standing
    """What the ranks rest on."""


def boards(rows: Sequence[Row], *, sort: str = "micro") -> list[Board]:
    """One board for each set of questions and their answers: accuracies over others can't be ranked together.

    Whole splits come first, then the others as they first occur. Rows are ordered by `sort`, best first
    (`model`: by name; `date`: newest first); equal rows by model and source, so that the order doesn't depend on that
    of the arguments. Incomplete rows come last in an order by accuracy.
    """
    known = [*SORT_KEYS, *dict.fromkeys(name for row in rows for name in row.parts)]
    if sort not in known:
        raise unknown("sort key", sort, known)
    groups: dict[tuple[str, str, int, str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault(_questions(row), []).append(row)
    found = [
        _board(same, sort, asked, answers)
        for members in groups.values()
        for asked, alike in _apart(members, members, lambda row: row.asked_hash)
        for answers, same in _apart(alike, [row for row in alike if row.complete], lambda row: row.answers_hash)
    ]
    return sorted(found, key=lambda board: not _is_whole(board.rows[0]))


def _questions(row: Row) -> tuple[str, str, int, str, str, str]:
    """What rows must share to be ranked together: the questions, and of free answers the judge. A whole split is one
    set, whoever published the row."""
    questions = "" if _is_whole(row) else row.questions_hash
    return row.benchmark.name, row.split, row.question_count, questions, row.judge, row.judge_hash


def _apart(rows: Sequence[Row], telling: Sequence[Row], hash_of: Callable[[Row], str]) -> list[tuple[str, list[Row]]]:
    """Rows apart by a hash of what they are about, as those `telling` have it, and the beginning of that.

    Rows with another hash, or without, stand beside most of the others.
    """
    keys = Counter(key for row in telling if (key := hash_of(row)))
    if len(keys) < 2:
        return [("", list(rows))]
    usual = keys.most_common(1)[0][0]
    found: dict[str, list[Row]] = {key: [] for key in keys}
    for row in rows:
        key = hash_of(row)
        found[key if key in keys else usual].append(row)
    return [(key[:8], members) for key, members in found.items()]


def _is_whole(row: Row) -> bool:
    return row.benchmark.sizes.get(row.split) == row.question_count


def _board(rows: Sequence[Row], sort: str, asked: str, answers: str) -> Board:
    ordered = sorted(rows, key=lambda row: (row.model.casefold(), row.source, row.origin_hash))
    if sort == "date":
        ordered.sort(key=lambda row: row.date, reverse=True)
    elif sort != "model":
        ordered.sort(key=lambda row: _score_order(row, sort))
    by = sort if sort not in ("model", "date") else "micro"
    first = rows[0]
    ranks, found = ranked(ordered, by=by)
    return Board(first.benchmark, first.split, first.question_count, asked, answers, ordered, ranks, found)


def _score_order(row: Row, by: str) -> tuple[bool, float]:
    figure = figure_of(row, by)
    return not row.complete, -figure.accuracy if figure is not None else math.inf


def figure_of(row: Row, name: str) -> Figure | None:
    """The figure of `micro`, `macro` or a group of the macro axis."""
    if name == "micro":
        return row.micro
    return row.macro if name == "macro" else row.parts.get(name)


def ranked(rows: Sequence[Row], *, by: str = "micro") -> tuple[list[int | None], Standing]:
    """The rank of each row by `micro`, `macro` or a group of the macro axis, and what the ranks rest on.

    None for incomplete rows and those without the figure; the others as `scoring.standing` has them.
    """
    places = [place for place, row in enumerate(rows) if row.complete and figure_of(row, by) is not None]
    candidates = []
    for place in places:
        figure = figure_of(rows[place], by)
        assert figure is not None
        candidates.append(Candidate(figure, rows[place].outcomes))
    part = by if by not in SORT_KEYS else ""
    found = standing(candidates, part=part, macro=by == "macro")
    ranks: list[int | None] = [None] * len(rows)
    for place, rank in zip(places, found.ranks, strict=True):
        ranks[place] = rank
    return ranks, found


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
