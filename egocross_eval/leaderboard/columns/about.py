"""The columns of what a row is and how it came about: its rank and model, how complete it is, settings, source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egocross_eval.leaderboard.columns.column import NOTHING, PUBLISHED, Column, points, yes
from egocross_eval.leaderboard.links import safe_link

if TYPE_CHECKING:
    from egocross_eval.schema import Row


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


RANK = Column(
    "rank",
    "Rank",
    "Models share a rank where chance alone could explain their difference.",
    lambda ranked, _: NOTHING if ranked.rank is None else str(ranked.rank),
    {"rank": lambda ranked: ranked.rank},
    number=True,
    low_first=True,
)


MODEL = Column(
    "model",
    "Model",
    "What answered.",
    lambda ranked, _: _model(ranked.row),
    {
        "model": lambda ranked: ranked.row.model,
        "published": lambda ranked: yes(ranked.row.published),
        "repeats": lambda ranked: ranked.row.repeats,
    },
)


ABOUT = (
    Column(
        "parsed",
        "Parsed",
        "Share of the answers that could be read. The others count as wrong.",
        lambda ranked, _: _down(_parsed_share(ranked.row)),
        {"parsed": lambda ranked: points(_parsed_share(ranked.row))},
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
        "Answered",
        "Share of the questions that were answered, or withheld by a filter.",
        lambda ranked, _: _answered_text(ranked.row),
        {
            "answered": lambda ranked: points(_answered_share(ranked.row)),
            "complete": lambda ranked: yes(ranked.row.complete),
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
        lambda ranked, _: NOTHING if _chance(ranked.row) is None else f"{points(_chance(ranked.row)):.1f}",
        {"chance": lambda ranked: points(_chance(ranked.row))},
        number=True,
        runs_only=True,
    ),
    Column(
        "spread",
        "Spread",
        "Standard deviation of micro between runs that were joined, in points.",
        lambda ranked, _: NOTHING if ranked.row.micro_spread is None else f"{100 * ranked.row.micro_spread:.2f}",
        {
            "micro_sd": lambda ranked: points(ranked.row.micro_spread),
            "macro_sd": lambda ranked: points(ranked.row.macro_spread),
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
