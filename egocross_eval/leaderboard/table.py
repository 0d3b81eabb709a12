"""A board as headers, cells and notes, before any markup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urlsplit

from egocross_eval.leaderboard.ranking import Board, figure_of
from egocross_eval.scoring.accuracy import METHODS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egocross_eval.schema import Figure, Row

IntervalStyle = Literal["none", "half-width", "ends"]
"""How intervals are shown: not at all, as `± 3.2` (half the width), or as `[41.9, 48.4]`."""

NOTHING = "–"
DERIVED = "*"
DISAGREES = "†"


class Cell(NamedTuple):
    """Text of a cell, where it links to, and whether it's a number."""

    text: str
    link: str = ""
    number: bool = False


class Table(NamedTuple):
    """A board ready for markup. All text is raw: escaping is up to the format."""

    title: str
    headers: list[Cell]
    rows: list[list[Cell]]
    notes: list[str]


def table_of(board: Board, *, intervals: IntervalStyle = "none", sort: str = "micro") -> Table:
    """The table of a board; `sort` is what it was ranked by, for the notes."""
    parts = part_columns(board)
    titles = {**overall_columns(board), **parts}
    names = list(titles)
    plain = board.rows and all(row.published for row in board.rows)
    headers = [Cell("Rank", number=True), Cell("Model")]
    headers += [Cell(title, number=True) for title in titles.values()]
    shares = [] if plain else [Cell("Parsed", number=True), Cell("Complete", number=True)]
    headers += [*shares, Cell("Settings"), Cell("Date"), Cell("Source")]
    rows = []
    for row, rank in zip(board.rows, board.ranks, strict=True):
        cells = [Cell(NOTHING if rank is None else str(rank), number=True), Cell(_model(row))]
        cells += [Cell(figure_text(row, name, intervals), number=True) for name in names]
        if shares:
            cells += [Cell(_percent(parsed_share(row)), number=True), Cell(_complete(row), number=True)]
        cells += [Cell(settings_text(row)), Cell(row.date or NOTHING), Cell(row.source, safe_link(row.link))]
        rows.append(cells)
    count = f"{board.question_count:,} question{'' if board.question_count == 1 else 's'}"
    return Table(
        f"{board.benchmark.title}, {board.split}, {count}", headers, rows, _notes(board, names, intervals, sort)
    )


def overall_columns(board: Board) -> dict[str, str]:
    """Titles of the overall figures, by name."""
    return {"micro": "Micro", "macro": "Macro"} if board.benchmark.macro else {"micro": "Micro"}


def part_columns(board: Board) -> dict[str, str]:
    """Titles of the groups of the macro axis that occur, by name."""
    return board.benchmark.part_titles({name for row in board.rows for name in row.parts})


def figure_text(row: Row, name: str, intervals: IntervalStyle = "none") -> str:
    """The percentage of `micro`, `macro` or a domain, with marks for a lower bound, a derived and a disagreeing
    figure."""
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


def parsed_share(row: Row) -> float | None:
    """Share of the answered questions whose answer could be read; None where it isn't known."""
    if row.published:
        return None
    read = sum(row.counts.get(name, 0) for name in ("right", "wrong", "unscored"))
    answered = read + row.counts.get("not_parsed", 0)
    return read / answered if answered else None


def complete_share(row: Row) -> float | None:
    """Share of the questions asked that were answered, readable or not; None where it isn't known."""
    total = row.counts.get("total", 0)
    if row.published or not total:
        return None
    return (total - row.counts.get("errored", 0) - row.counts.get("missing", 0)) / total


def settings_text(row: Row) -> str:
    """Settings in one line, with the spread of joined runs."""
    parts = [f"{name} {value}" for name, value in row.settings.items()]
    if row.repeats > 1:
        spreads = (("micro", row.micro_spread), ("macro", row.macro_spread))
        parts += [f"sd {100 * spread:.2f} {name}" for name, spread in spreads if spread is not None]
    return ", ".join(parts) or NOTHING


def safe_link(link: str) -> str:
    """`link` if it's a web address or a relative or absolute path; else empty: rows come from elsewhere."""
    link = link.strip()
    if not link or any(ord(char) < 32 for char in link):
        return ""
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    if parts.scheme in ("http", "https"):
        return link if parts.netloc else ""
    return "" if parts.scheme or parts.netloc or link.startswith(("//", "\\")) else link


def _model(row: Row) -> str:
    suffix = f" (mean of {row.repeats} runs)" if row.repeats > 1 else ""
    return row.model + suffix + (" (published)" if row.published else "")


def _percent(share: float | None) -> str:
    return NOTHING if share is None else _down(share)


def _complete(row: Row) -> str:
    share = complete_share(row)
    if share is None:
        return NOTHING
    total = row.counts["total"]
    done = total - row.counts.get("errored", 0) - row.counts.get("missing", 0)
    return f"{_down(share)} ({done}/{total})" if done < total else _down(share)


def _down(share: float) -> str:
    """Percentage cut to one decimal: 100.0 is shown for the whole only."""
    return f"{int(1000 * share + 1e-9) / 10:.1f}"


def _notes(board: Board, names: Sequence[str], intervals: IntervalStyle, sort: str) -> list[str]:
    """What a reader must know, only as far as it applies."""
    rows = board.rows
    by = sort if sort in names else "micro"
    notes = ["Accuracy in percent. Micro: right / all questions."]
    axis = board.benchmark.grouping(board.benchmark.macro)
    if axis is not None:
        notes[0] += f" Macro: unweighted mean over {axis.title}s."
    notes += _rank_notes(board, by)
    if any(row.published for row in rows):
        notes.append(f"(published): measured by the source named; {DERIVED} computed from the counts behind its cells.")
    notes += [f"{DISAGREES} {row.model}: {row.note}." for row in rows if row.published and row.note]
    if any((figure := figure_of(row, name)) is not None and figure.open for row in rows for name in names):
        notes.append("≥: some questions failed or aren't scored but stay in the count: the true figure may be higher.")
    if intervals != "none":
        used = {figure.interval for row in rows for name in names if (figure := figure_of(row, name)) is not None}
        shown = "half the width of the 95 % interval" if intervals == "half-width" else "ends of the 95 % interval"
        notes.append(f"{'±' if intervals == 'half-width' else '[ ]'}: {shown}.")
        cluster = board.benchmark.cluster
        notes += [
            f"Interval ({name}): {text.format(cluster=cluster)}." for name, text in METHODS.items() if name in used
        ]
    return notes


def _rank_notes(board: Board, by: str) -> list[str]:
    found = board.standing
    notes = []
    if len(found.ranks) > 1:
        notes.append(
            f"Rank: 1 + the number of rows whose {by} is shown to be better; rows that can't be told apart tie. The "
            "chance that any two equally good rows are told apart is at most 5 % for the whole board (Holm)."
        )
    if found.paired and found.smallest is not None:
        notes.append(
            f"{_pairs(found.paired)} compared question by question, by how {board.benchmark.cluster}s differ; two rows "
            f"must differ by some {100 * found.smallest:.1f} points to be told apart in 80 % of cases."
        )
    if found.unpaired:
        notes.append(
            f"{_pairs(found.unpaired)} compared by their intervals alone, as the answers to single questions aren't "
            "known of one of them: a family of their own, which tells less apart."
        )
    if any(not row.complete for row in board.rows):
        notes.append("Rows without a rank are incomplete: questions failed, weren't asked or have no known answer.")
    return notes


def _pairs(number: int) -> str:
    return "1 pair of rows is" if number == 1 else f"{number} pairs of rows are"
