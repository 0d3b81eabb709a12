"""What options say as numbers: a time or a range of seconds, a count, a region of the view."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from egocross_eval.counted import counted
from egocross_eval.errors import UsageError
from egocross_eval.schema import Question

T = TypeVar("T")

_TIME = re.compile(
    r"\s*(\d+(?:\.\d+)?)\s*(?:s|sec|seconds?)?\s*(?:(?:-|–|to)\s*(\d+(?:\.\d+)?)\s*(?:s|sec|seconds?)?)?\s*", re.I
)
_COUNT = re.compile(r"\s*(\d+)\s*")
_WORDS = re.compile(r"[a-z]+")

_ROWS = {"top": 0, "upper": 0, "bottom": 2, "lower": 2}
_COLUMNS = {"left": 0, "right": 2}
_MIDDLE = frozenset({"center", "centre", "middle"})


def seconds(text: str) -> tuple[float, float] | None:
    """Beginning and end of a time (`5.7s`) or range (`2.2-4.2 seconds`); None for another text."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    first = float(found[1])
    return first, float(found[2]) if found[2] else first


def count(text: str) -> int | None:
    """A whole number; None for another text."""
    found = _COUNT.fullmatch(text)
    return int(found[1]) if found else None


def region(text: str) -> tuple[float, float] | None:
    """Centre of one of nine regions (`top-left`, `center`), as shares of width and height; None for another text."""
    words = _WORDS.findall(text.lower())
    if not words or len(words) > 2 or not all(w in _ROWS or w in _COLUMNS or w in _MIDDLE for w in words):
        return None
    rows = [_ROWS[word] for word in words if word in _ROWS]
    columns = [_COLUMNS[word] for word in words if word in _COLUMNS]
    if len(rows) > 1 or len(columns) > 1:
        return None
    return (2 * (columns or [1])[0] + 1) / 6 if columns else 0.5, (2 * rows[0] + 1) / 6 if rows else 0.5


def require(
    method: str,
    questions: Sequence[Question],
    read: Callable[[str], T | None],
    what: str,
    but: Callable[[Question], bool] = lambda question: False,
) -> None:
    """Raises `UsageError` where a question has an option that isn't what the method maps to, or is one of those that
    `but` tells from them."""
    other = [q for q in questions if any(read(text) is None for text in q.options.values()) or but(q)]
    if other:
        texts = list(other[0].options.values())
        example = next((text for text in texts if read(text) is None), texts[0])
        raise UsageError(
            f"--method {method}: options of {len(other)} of {counted(len(questions), 'question')} are no "
            f"{what}, e.g. {example!r} "
            f"of {other[0].key}; ask these alone (--tasks), or use it by a rule of a strategy file"
        )
