"""The columns of leaderboards, each declared once for all formats and the site: to add one, add it to `declared`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urlsplit

from egocross_eval.errors import unknown
from egocross_eval.leaderboard.ranking import figure_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from egocross_eval.leaderboard.ranking import Board
    from egocross_eval.schema import Efficiency, Figure, Row

IntervalStyle = Literal["none", "half-width", "ends"]
"""How intervals are shown behind a figure: not at all, as `± 3.2` (half the width), or as `[41.9, 48.4]`."""

Field = str | int | float | None
"""A value in CSV."""

NOTHING = "–"
DERIVED = "*"
DISAGREES = "†"
PUBLISHED = "(published)"
"""Behind the model of a row that others measured."""

PARTS = "parts"
"""Stands for the figures of all groups of the macro axis wherever columns are named."""
_PARTS_INTERVALS = f"{PARTS}-interval"
TABLE = ("rank", "model", "micro", "macro", PARTS, "parsed", "filtered", "complete", "settings", "date", "source")
"""What a table shows where nothing else is said."""
EFFICIENCY = ("speed", "right-tokens", "reused", "first-token", "per-token", "frame", "price")
"""What answers took: on pages, and in tables that ask for it."""
PAPER = ("model", "micro", "macro", PARTS)
"""What fits a page of a paper."""


class Ranked(NamedTuple):
    """A row in its board."""

    row: Row
    rank: int | None


class Column(NamedTuple):
    """What every format needs of a column."""

    name: str
    """As `--columns` takes it."""
    title: str
    meaning: str
    """In plain words, for a reader who points at the title."""
    text: Callable[[Ranked, IntervalStyle], str]
    """What a cell says."""
    fields: Mapping[str, Callable[[Ranked], Field]]
    """Its values in CSV by their names, in full precision. Cells are sorted by the first."""
    number: bool = False
    link: Callable[[Row], str] | None = None
    low_first: bool = False
    """The smaller, the better."""
    figure: str = ""
    """Name of the figure that it shows, if it shows one."""
    interval: bool = False
    """It shows the figure's interval, which pages draw."""
    runs_only: bool = False
    """Nothing is known of it for published rows."""
    known_only: bool = False
    """Left out where no row has a value, unless it was asked for."""


def declared(boards: Sequence[Board]) -> dict[str, Column]:
    """All columns that these boards can have, by name."""
    benchmarks = {board.benchmark.name: board.benchmark for board in boards}.values()
    micro = _figure("micro", "Micro", "Share of all questions answered right.")
    columns = [_RANK, _MODEL, *micro]
    for benchmark in benchmarks:
        axis = benchmark.grouping(benchmark.macro)
        if axis is not None:
            meaning = f"Mean of the {axis.title}s' shares: each counts alike, whatever its size."
            columns += _figure("macro", "Macro", meaning)
    for board in boards:
        axis = board.benchmark.grouping(board.benchmark.macro)
        for name, title in part_titles(board).items():
            meaning = f"Share of the questions of this {axis.title if axis else 'group'} answered right."
            columns += _figure(name, title, meaning, key=_part_key(name))
    return {column.name: column for column in [*columns, *_OTHERS]}


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


def _figure(name: str, title: str, meaning: str, *, key: str = "") -> list[Column]:
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
        f"{key}_low": value(lambda figure: _points(figure.low)),
        f"{key}_high": value(lambda figure: _points(figure.high)),
    }
    fields = {
        key: value(lambda figure: _points(figure.accuracy)),
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


def safe_link(link: str) -> str:
    """`link` if it's a web address or a relative or absolute path; else empty: rows come from elsewhere."""
    link = link.strip()
    if not link or not link.isprintable():
        return ""
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    if parts.scheme in ("http", "https"):
        return link if parts.hostname and parts.username is None else ""
    return "" if parts.scheme or parts.netloc or link.startswith(("//", "\\")) else link


def _model(row: Row) -> str:
    suffix = f" (mean of {row.repeats} runs)" if row.repeats > 1 else ""
    # A name can't say so by itself.
    name = row.model if row.published else row.model.replace(PUBLISHED, "").rstrip()
    return name + suffix + (f" {PUBLISHED}" if row.published else "")


def _parsed_share(row: Row) -> float | None:
    """Share of the answered questions whose answer could be read; None where it isn't known."""
    if row.published:
        return None
    read = sum(row.counts.get(name, 0) for name in ("right", "wrong", "unscored"))
    answered = read + row.counts.get("not_parsed", 0)
    return read / answered if answered else None


def _answered(row: Row) -> tuple[int, int] | None:
    """How many of how many questions were answered, readable or not; None where it isn't known."""
    total = row.counts.get("total", 0)
    if row.published or not total:
        return None
    return total - row.counts.get("errored", 0) - row.counts.get("missing", 0), total


def _answered_share(row: Row) -> float | None:
    found = _answered(row)
    return None if found is None else found[0] / found[1]


def _answered_text(row: Row) -> str:
    found = _answered(row)
    if found is None:
        return NOTHING
    done, total = found
    return f"{_down(done / total)} ({done}/{total})" if done < total else _down(1.0)


def _down(share: float | None) -> str:
    """Percentage cut to one decimal: 100.0 is shown for the whole only."""
    return NOTHING if share is None else f"{int(1000 * share + 1e-9) / 10:.1f}"


def _settings(row: Row) -> str:
    """Settings in one line, with the spread of joined runs."""
    parts = [f"{name} {value}" for name, value in row.settings.items()]
    if row.repeats > 1:
        spreads = (("micro", row.micro_spread), ("macro", row.macro_spread))
        parts += [f"sd {100 * spread:.2f} {name}" for name, spread in spreads if spread is not None]
    return ", ".join(parts)


def _chance(row: Row) -> float | None:
    return row.micro.chance if row.micro is not None else None


def _points(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 6)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


_RANK = Column(
    "rank",
    "Rank",
    "Models share a rank where chance alone could explain their difference.",
    lambda ranked, _: NOTHING if ranked.rank is None else str(ranked.rank),
    {"rank": lambda ranked: ranked.rank},
    number=True,
    low_first=True,
)
_MODEL = Column(
    "model",
    "Model",
    "What answered.",
    lambda ranked, _: _model(ranked.row),
    {
        "model": lambda ranked: ranked.row.model,
        "published": lambda ranked: _yes(ranked.row.published),
        "repeats": lambda ranked: ranked.row.repeats,
    },
)


def _took(
    name: str, title: str, meaning: str, get: Callable[[Efficiency], float | None], form: str, *, low_first: bool = True
) -> Column:
    """A column of what answers took; `form` writes its figure."""

    value = _of(get)

    def text(ranked: Ranked, _: IntervalStyle) -> str:
        found = value(ranked)
        return NOTHING if found is None else form.format(found)

    field = name.replace("-", "_")
    return Column(
        name,
        title,
        meaning,
        text,
        {field: value},
        number=True,
        low_first=low_first,
        runs_only=True,
        known_only=True,
    )


def _of(get: Callable[[Efficiency], Field]) -> Callable[[Ranked], Field]:
    """A value of what a row's answers took."""
    return lambda ranked: get(ranked.row.efficiency) if ranked.row.efficiency is not None else None


def _frame(row: Row) -> str:
    took = row.efficiency
    pieces = [] if took is None else [(took.frame_pixels, "px"), (took.frame_tokens, "tokens")]
    return ", ".join(f"{number:,} {unit}" for number, unit in pieces if number is not None) or NOTHING


def _price(row: Row) -> str:
    took = row.efficiency
    return NOTHING if took is None or took.price is None else f"{took.price:,.2f} {took.currency}".strip()


_EFFICIENCY = (
    _took(
        "requests",
        "Requests a question",
        "Requests for each question answered: more than one where the method asks more.",
        lambda took: took.requests / took.questions if took.questions else None,
        "{:.3g}",
    ),
    _took(
        "question-tokens",
        "Tokens a question",
        "Tokens read and written for each question answered.",
        lambda took: (took.input_tokens + took.output_tokens) / took.questions if took.questions else None,
        "{:,.0f}",
    ),
    _took(
        "speed",
        "A second",
        "Questions answered in a second, loading and answers from the response cache left out.",
        lambda took: took.questions_a_second,
        "{:.3g}",
        low_first=False,
    ),
    _took(
        "right-tokens",
        "Tokens for a right one",
        "Tokens read and written in all, for each question answered right.",
        lambda took: took.tokens_a_right_answer,
        "{:,.0f}",
    ),
    _took(
        "reused",
        "Reused",
        "Share of the prompts' tokens that the engine had computed for others.",
        lambda took: None if took.reused_share is None else 100 * took.reused_share,
        "{:.1f}",
        low_first=False,
    ),
    _took(
        "first-token",
        "First token",
        "Median seconds to the first token of an answer, as the engine says.",
        lambda took: took.first_token_seconds,
        "{:.3g} s",
    ),
    _took(
        "per-token",
        "Further token",
        "Median seconds for each further token, as the engine says.",
        lambda took: took.token_seconds,
        "{:.3g} s",
    ),
    Column(
        "frame",
        "Frame",
        "Median pixels and tokens of a frame as the model saw it.",
        lambda ranked, _: _frame(ranked.row),
        {
            "frame_tokens": _of(lambda took: took.frame_tokens),
            "frame_pixels": _of(lambda took: took.frame_pixels),
        },
        number=True,
        low_first=True,
        runs_only=True,
        known_only=True,
    ),
    Column(
        "price",
        "Price",
        "Of all requests, by the table of prices that was given.",
        lambda ranked, _: _price(ranked.row),
        {
            "price": _of(lambda took: took.price),
            "currency": _of(lambda took: took.currency or None),
        },
        number=True,
        low_first=True,
        runs_only=True,
        known_only=True,
    ),
)
_OTHERS = (
    *_EFFICIENCY,
    Column(
        "parsed",
        "Parsed",
        "Share of the answers that could be read. The others count as wrong.",
        lambda ranked, _: _down(_parsed_share(ranked.row)),
        {"parsed": lambda ranked: _points(_parsed_share(ranked.row))},
        number=True,
        runs_only=True,
    ),
    Column(
        "filtered",
        "Filtered",
        "Number of answers that a content filter withheld. They count as wrong.",
        lambda ranked, _: NOTHING if ranked.row.published else str(ranked.row.counts.get("filtered", 0)),
        {"filtered": lambda ranked: None if ranked.row.published else ranked.row.counts.get("filtered", 0)},
        number=True,
        runs_only=True,
        low_first=True,
    ),
    Column(
        "complete",
        "Complete",
        "Share of the questions that were answered, or withheld by a filter.",
        lambda ranked, _: _answered_text(ranked.row),
        {
            "answered": lambda ranked: _points(_answered_share(ranked.row)),
            "complete": lambda ranked: _yes(ranked.row.complete),
        },
        number=True,
        runs_only=True,
    ),
    Column(
        "settings",
        "Settings",
        "How the questions were asked.",
        lambda ranked, _: _settings(ranked.row) or NOTHING,
        {"settings": lambda ranked: _settings(ranked.row)},
    ),
    Column(
        "date",
        "Date",
        "When the run was started, or the source published.",
        lambda ranked, _: ranked.row.date or NOTHING,
        {"date": lambda ranked: ranked.row.date},
    ),
    Column(
        "source",
        "Source",
        "Folder of the run, or who published the figures.",
        lambda ranked, _: ranked.row.source,
        {"source": lambda ranked: ranked.row.source, "link": lambda ranked: safe_link(ranked.row.link)},
        link=lambda row: safe_link(row.link),
    ),
    Column(
        "split",
        "Split",
        "Which questions of the benchmark.",
        lambda ranked, _: ranked.row.split,
        {"split": lambda ranked: ranked.row.split},
    ),
    Column(
        "questions",
        "Questions",
        "How many were asked.",
        lambda ranked, _: f"{ranked.row.question_count:,}",
        {"questions": lambda ranked: ranked.row.question_count},
        number=True,
    ),
    Column(
        "chance",
        "Chance",
        "What a guess among the options gets right.",
        lambda ranked, _: NOTHING if _chance(ranked.row) is None else f"{_points(_chance(ranked.row)):.1f}",
        {"chance": lambda ranked: _points(_chance(ranked.row))},
        number=True,
        runs_only=True,
    ),
    Column(
        "spread",
        "Spread",
        "Standard deviation of micro between runs that were joined, in points.",
        lambda ranked, _: NOTHING if ranked.row.micro_spread is None else f"{100 * ranked.row.micro_spread:.2f}",
        {
            "micro_sd": lambda ranked: _points(ranked.row.micro_spread),
            "macro_sd": lambda ranked: _points(ranked.row.macro_spread),
        },
        number=True,
        runs_only=True,
    ),
    Column(
        "published",
        "As published",
        "The overall figure as its source prints it.",
        lambda ranked, _: (
            NOTHING
            if ranked.row.published_overall is None
            else f"{ranked.row.published_overall:.{ranked.row.decimals}f} ({ranked.row.ranked_by})"
        ),
        {
            "published_overall": lambda ranked: ranked.row.published_overall,
            "ranked_by": lambda ranked: ranked.row.ranked_by,
        },
    ),
    Column(
        "note",
        "Note",
        "What a reader of the row must know.",
        lambda ranked, _: ranked.row.note or NOTHING,
        {"note": lambda ranked: ranked.row.note},
    ),
    Column(
        "hash",
        "Hash",
        "SHA-256 of the samples that the row was computed from.",
        lambda ranked, _: ranked.row.origin_hash[:12] or NOTHING,
        {"origin_hash": lambda ranked: ranked.row.origin_hash},
    ),
)
_FIXED = frozenset({PARTS, "micro", "macro", *(column.name for column in (_RANK, _MODEL, *_OTHERS))})
