"""Published results as rows, with the counts behind their percentages.

Sources print percentages; each cell is k of the n questions of its domain, and at two decimals (here even at one)
only a single k gives the printed figure. So counts are recovered, and from them whichever of micro and macro a source
doesn't report. The table is `published_rows.json`; docs/leaderboard.md says how a result is added to it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from egocross_eval.errors import DataError
from egocross_eval.schema import SCHEMA_VERSION, Figure, Row, asked_hash
from egocross_eval.scoring.accuracy import Counted, Interval, assumed_interval
from egocross_eval.tasks.egocross.benchmark_record import RECORD, SPLITS
from egocross_eval.tasks.egocross.known_questions import closed_questions


class _Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    citation: str
    link: str = ""
    date: str = ""


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    model: str
    source: str
    overall: str
    which: Literal["micro", "macro"]
    cells: dict[str, str]
    track: str = ""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    domains: dict[str, int]
    """Questions."""
    together: dict[str, float]
    """Number of other questions on a question's source video, on average, by domain."""
    sources: dict[str, _Source]
    rows: list[_Entry]


@cache
def _table() -> _Table:
    return msgspec.json.decode(Path(__file__).with_name("published_rows.json").read_bytes(), type=_Table)


def domain_sizes() -> dict[str, int]:
    """Number of questions of the testbed by domain."""
    return dict(_table().domains)


@cache
def published_rows() -> tuple[Row, ...]:
    """The published rows, in the order of the table."""
    table = _table()
    return tuple(_row(entry, table.sources[entry.source], table) for entry in table.rows)


def recover_count(percentage: str, n: int) -> int:
    """The k for which k / n prints as `percentage`, e.g. 137 for `48.41` of 283.

    Raises `DataError` unless exactly one k does.
    """
    decimals = _decimals(percentage)
    found = [k for k in range(n + 1) if f"{100 * k / n:.{decimals}f}" == percentage]
    if len(found) != 1:
        raise DataError(f"{percentage} % of {n} questions is {'no' if not found else 'more than one'} whole number")
    return found[0]


def _row(entry: _Entry, source: _Source, table: _Table) -> Row:
    sizes = table.domains
    groups = {name: Counted(recover_count(entry.cells[name], n), n, table.together[name]) for name, n in sizes.items()}
    domains = {
        name: _figure(one.right, one.n, one.right / one.n, assumed_interval([one])) for name, one in groups.items()
    }
    total, right = sum(sizes.values()), sum(one.right for one in groups.values())
    together = sum(one.n * one.together for one in groups.values()) / total
    micro = assumed_interval([Counted(right, total, together)])
    micro_figure = _figure(right, total, right / total, micro)
    macro = sum(figure.accuracy for figure in domains.values()) / len(domains)
    macro_figure = _figure(right, total, macro, assumed_interval(list(groups.values())))
    computed = {"micro": micro_figure, "macro": macro_figure}[entry.which].accuracy
    decimals = _decimals(entry.overall)
    return Row(
        schema_version=SCHEMA_VERSION,
        model=entry.model,
        source=source.citation,
        published=True,
        complete=True,
        benchmark=RECORD,
        split=SPLITS[0],
        micro=micro_figure,
        macro=macro_figure,
        parts=domains,
        counts={"right": right, "wrong": total - right, "total": total},
        settings={"track": entry.track} if entry.track else {},
        date=source.date,
        ranked_by=entry.which,
        published_overall=float(entry.overall),
        note=_disagreement(entry, f"{100 * computed:.{decimals}f}"),
        link=source.link,
        question_count=total,
        asked_hash=asked_hash(closed_questions(SPLITS[0]).values()),
        decimals=decimals,
    )


def _disagreement(entry: _Entry, computed: str) -> str:
    """Says so where the printed overall doesn't follow from the printed cells."""
    if computed == entry.overall:
        return ""
    return f"{entry.which} as published; the counts behind its cells give {computed}"


def _figure(right: int, n: int, accuracy: float, interval: Interval) -> Figure:
    return Figure(
        right=right,
        n=n,
        accuracy=accuracy,
        low=interval.low,
        high=interval.high,
        wrong=n - right,
        interval=interval.method,
    )


def _decimals(percentage: str) -> int:
    return len(percentage.partition(".")[2])
