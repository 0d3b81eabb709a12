"""Reads a judge's mark: tolerantly where the form is off, and never where it isn't clear which mark is meant."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from egocross_eval.reading.response import final_text
from egocross_eval.schema import Response

MARKS = ("0", "1", "2", "3", "4", "5")
"""All marks; the last is the full one."""

_DEEPEST = 16
"""Levels of brackets: what is nested deeper isn't repaired."""
_LONGEST = 20_000
"""Characters of an object."""
_MOST_OBJECTS = 20
_LONGEST_REASON = 2_000
_NUMBER = re.compile(r"\s*([0-5](?:\.\d{1,3})?)(?:\s*(?:/|out of)\s*5)?\s*")
_BARE = re.compile(rf"\s*\**(?:mark|score)?\**\s*[:=]?\s*\**{_NUMBER.pattern}\**\s*[.!]?\s*", re.I)


class Mark(NamedTuple):
    """A judge's verdict."""

    value: float
    """From 0 to 5."""
    reason: str = ""


def read_mark(response: Response) -> Mark | None:
    """The mark of a reply, or the expectation of the marks' scores; None where there's none, or more than one."""
    if response.scores is not None:
        return expected_mark(response.scores)
    text = final_text(response.text or "")
    if match := _BARE.fullmatch(text):
        return Mark(float(match[1]))
    found = [mark for content in _objects(text) if (mark := _mark_of(content)) is not None]
    return found[-1] if len({mark.value for mark in found}) == 1 else None


def expected_mark(scores: Mapping[str, float]) -> Mark | None:
    """The mean of the marks by their probabilities, relative to each other; None where no mark has a score."""
    known = {mark: scores[mark] for mark in MARKS if math.isfinite(scores.get(mark, math.nan))}
    if not known:
        return None
    best = max(known.values())
    weights = {mark: math.exp(score - best) for mark, score in known.items()}
    value = sum(int(mark) * weight for mark, weight in weights.items()) / sum(weights.values())
    # Rounded: a threshold is met where only the last digit of the arithmetic says otherwise.
    return Mark(round(min(5.0, value), 6), "expected over the marks' probabilities")


def _mark_of(content: str) -> Mark | None:
    fields = _parsed(content)
    if not isinstance(fields, dict):
        return None
    lowered = {str(key).strip().lower(): value for key, value in fields.items()}
    value = _number(lowered.get("mark", lowered.get("score")))
    if value is None:
        return None
    reason = lowered.get("reason")
    return Mark(value, reason.strip()[:_LONGEST_REASON] if isinstance(reason, str) else "")


def _number(value: Any) -> float | None:
    """A mark, or None: true is no 1, and what isn't between 0 and 5 is none."""
    if isinstance(value, str):
        match = _NUMBER.fullmatch(value)
        value = float(match[1]) if match else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= 5 else None


def _parsed(content: str) -> Any:
    """The JSON, repaired where it's broken and neither long nor deep."""
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        pass
    if len(content) > _LONGEST or _depth(content) > _DEEPEST:
        return None
    import json_repair

    try:
        return json_repair.loads(content, skip_json_loads=True)
    except (RecursionError, ValueError):
        return None


def _depth(content: str) -> int:
    depth = deepest = 0
    for character in content:
        depth += (character in "{[") - (character in "}]")
        deepest = max(deepest, depth)
    return deepest


def _objects(text: str) -> Iterator[str]:
    """The outermost objects of a text, the last perhaps cut off; brackets within quotes don't count."""
    start = text.find("{")
    for _ in range(_MOST_OBJECTS):
        if start < 0:
            return
        end = _end(text, start)
        yield text[start:end]
        start = text.find("{", end)


def _end(text: str, start: int) -> int:
    """Where the object that begins at `start` ends; the text's end where it's cut off."""
    depth, quoted, escaped = 0, False, False
    for place in range(start, len(text)):
        character = text[place]
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif not quoted and character in "{}":
            depth += 1 if character == "{" else -1
            if depth == 0:
                return place + 1
    return len(text)
