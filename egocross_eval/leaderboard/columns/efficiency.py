"""The columns of what answers took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egocross_eval.leaderboard.columns.column import NOTHING, Column, Field, IntervalStyle, Ranked

if TYPE_CHECKING:
    from collections.abc import Callable

    from egocross_eval.schema import Efficiency, Row


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


EFFICIENCY_COLUMNS = (
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
