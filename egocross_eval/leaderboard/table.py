"""A board as columns, cells and notes, before any markup."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.leaderboard.columns.column import PUBLISHED, Ranked
from egocross_eval.leaderboard.columns.declared import TABLE, chosen
from egocross_eval.leaderboard.columns.figures import DERIVED, DISAGREES
from egocross_eval.leaderboard.ranking import figure_of
from egocross_eval.scoring.accuracy import METHODS
from egocross_eval.scoring.difference import FEWEST_CLUSTERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egocross_eval.leaderboard.columns.column import Column, IntervalStyle
    from egocross_eval.leaderboard.ranking import Board
    from egocross_eval.schema import Row


class Cell(NamedTuple):
    """Text of a cell, where it links to, and whether it's a number."""

    text: str
    link: str = ""
    number: bool = False


class Table(NamedTuple):
    """A board ready for markup. All text is raw: escaping is up to the format."""

    title: str
    columns: list[Column]
    rows: list[list[Cell]]
    notes: list[str]


def table_of(
    board: Board,
    *,
    intervals: IntervalStyle = "none",
    sort: str = "micro",
    columns: Sequence[str] | None = None,
    default: Sequence[str] = TABLE,
) -> Table:
    """The table of a board; `sort` is what it was ranked by, for the notes.

    `columns` names its columns (see `columns.declared`); without it, it has the `default` ones.
    """
    shown = chosen(board, columns, default=default)
    ranked = [Ranked(row, rank) for row, rank in zip(board.rows, board.ranks, strict=True)]
    rows = [
        [Cell(c.text(one, intervals), c.link(one.row) if c.link else "", c.number) for c in shown] for one in ranked
    ]
    count = f"{board.question_count:,} question{'' if board.question_count == 1 else 's'}"
    asked = f", questions {board.asked}" if board.asked else ""
    answers = f", answers {board.answers}" if board.answers else ""
    judge = f", judged by {board.rows[0].judge}" if board.rows[0].judge else ""
    title = f"{board.benchmark.title}, {board.split}, {count}{asked}{answers}{judge}"
    return Table(title, shown, rows, _notes(board, shown, intervals, sort))


def _notes(board: Board, columns: Sequence[Column], intervals: IntervalStyle, sort: str) -> list[str]:
    """What a reader must know, only as far as it applies."""
    rows = board.rows
    names = list(dict.fromkeys(column.figure for column in columns if column.figure))
    by = sort if any(figure_of(row, sort) is not None for row in rows) else "micro"
    notes = ["Accuracy in percent." + (" Micro: mean over all questions." if "micro" in names else "")]
    axis = board.benchmark.grouping(board.benchmark.macro)
    if axis is not None and "macro" in names:
        notes[0] += f" Macro: unweighted mean over {axis.title}s."
    if board.asked:
        notes.append(
            f"Over questions whose hash begins with {board.asked}; rows over as many with other words, options, labels "
            "or clusters stand in a table of their own. 'leaderboard verify' tells which are the benchmark's."
        )
    if board.answers:
        notes.append(
            f"Scored with the answers whose hash begins with {board.answers}; rows scored with others stand in "
            "a table of their own."
        )
    notes += _rank_notes(board, by) if any(column.name == "rank" for column in columns) else []
    if any(row.published for row in rows):
        notes.append(f"{PUBLISHED}: measured by the source named; {DERIVED} computed from the counts behind its cells.")
    notes += [f"{DISAGREES} {row.model}: {row.note}." for row in rows if row.published and row.note]
    notes += _shared_names(rows)
    notes += _unranked_notes(board, by) if any(column.name == "rank" for column in columns) else []
    if any((figure := figure_of(row, name)) is not None and figure.open for row in rows for name in names):
        notes.append("≥: some questions failed or aren't scored but stay in the count: the true figure may be higher.")
    if intervals != "none":
        shown = "half the width of the 95 % interval" if intervals == "half-width" else "ends of the 95 % interval"
        notes.append(f"{'±' if intervals == 'half-width' else '[ ]'}: {shown}.")
    if intervals != "none" or any(column.interval for column in columns):
        used = {figure.interval for row in rows for name in names if (figure := figure_of(row, name)) is not None}
        cluster = board.benchmark.cluster
        notes += [
            f"Interval ({name}): {text.format(cluster=cluster)}." for name, text in METHODS.items() if name in used
        ]
        if old := sorted(used - set(METHODS)):
            notes.append(f"Interval ({', '.join(old)}): as version 0.1 found it, some too narrow.")
    return notes


def _shared_names(rows: Sequence[Row]) -> list[str]:
    """Names that several models have: their weights, or how they were loaded, differ."""
    prints: dict[str, set[str]] = {}
    for row in rows:
        if row.fingerprint and not row.published and "combined" not in row.settings:
            prints.setdefault(row.model, set()).add(row.fingerprint)
    return [
        f"{name} stands for {len(found)} different models here, which their sources tell apart; in a spec, name=TEXT "
        "names one."
        for name, found in prints.items()
        if len(found) > 1
    ]


def _unranked_notes(board: Board, by: str) -> list[str]:
    """Why rows have no rank, those with the same reason together."""
    reasons: dict[str, list[str]] = {}
    for row, rank in zip(board.rows, board.ranks, strict=True):
        if rank is None:
            reasons.setdefault(_why_unranked(row, by), []).append(row.model)
    return [f"Not ranked, {reason}: {', '.join(models)}." for reason, models in reasons.items()]


def _why_unranked(row: Row, by: str) -> str:
    """What a row lacks for a rank."""
    words = {"errored": "errored", "missing": "not asked", "unscored": "not scored"}
    open_ = [f"{row.counts[name]:,} {word}" for name, word in words.items() if row.counts.get(name)]
    if not row.complete:
        return "as not all questions are graded" + (f" ({', '.join(open_)})" if open_ else "")
    if row.micro is not None:
        return f"for lack of {by}"
    if not row.answers_hash:
        return "as no right answer is known"
    return "as no judge has graded it yet (egocross-eval judge RUN --judge SPEC)"


def _rank_notes(board: Board, by: str) -> list[str]:
    found = board.standing
    notes = []
    if len(found.ranks) > 1:
        notes.append(
            f"Rank: 1 + the number of rows whose {by} is shown to be better; rows that can't be told apart tie. The "
            "chance that any two equally good rows are told apart is at most 5 % for the whole board (Holm)."
        )
    if found.paired:
        enough = (
            f"fewer than {FEWEST_CLUSTERS} can't tell two rows apart, however much they differ."
            if found.smallest is None
            else f"two rows must differ by some {100 * found.smallest:.1f} points to be told apart in 80 % of cases."
        )
        notes.append(
            f"{_pairs(found.paired)} compared question by question, by how {board.benchmark.cluster}s differ; {enough}"
        )
    if found.unpaired:
        notes.append(
            f"{_pairs(found.unpaired)} compared by their intervals alone, as the answers to single questions aren't "
            "known of one of them: a family of their own, which tells less apart."
        )
    return notes


def _pairs(number: int) -> str:
    return "1 pair of rows is" if number == 1 else f"{number} pairs of rows are"
