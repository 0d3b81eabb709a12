"""What a short answer says, whatever its wording: a number, a time, a range of times, a place in the picture, a
sequence, or words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
_DIGITS = {word: str(number) for number, word in enumerate(_SMALL)}
# "one after the other", "the last one": no number.
_PRONOUN = re.compile(
    r"\b(?:the|this|that|no|each|any|last|next|other|which)\sone\b"
    r"|\bone\s(?:after|of|another|by|can|could|may|might|must|should|would)\b"
)
_PLACES = {
    "top": "top",
    "upper": "top",
    "bottom": "bottom",
    "lower": "bottom",
    "left": "left",
    "right": "right",
    "center": "center",
    "centre": "center",
    "central": "center",
    "middle": "center",
}
_NUMBER = r"\d+(?:\.\d+)?"
_CLOCK = r"\d{1,2}:[0-5]\d(?:\.\d+)?"
_UNIT = r"(?:\s?(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?)\b)"
_TIME = re.compile(rf"(?<![\w.:])(?:({_CLOCK})\b|({_NUMBER}){_UNIT})")
_RANGE = re.compile(
    rf"(?<![\w.:])({_CLOCK}|{_NUMBER}){_UNIT}?\s?(?:-|to|and|until|till)\s?({_CLOCK}|{_NUMBER})(?![\d.]*\d){_UNIT}?"
)
_COUNT = re.compile(rf"(?<![\w.:])({_NUMBER})(?![\w:]|\.\d)")
_PLACE = r"\b(?:" + "|".join(_PLACES) + r")\b"
_PLACE_RUN = re.compile(rf"{_PLACE}(?:(?:\s?-\s?|\s|/){_PLACE})*(?!\s(?:hand|thumb|arm|foot|leg)\b)")
_STEP = re.compile(r"\s*(?:→|->|=>|>|,|;|\bthen\b|\bfollowed by\b)\s*(?:then\s+|and\s+(?:then\s+)?)?")
_LEAD = re.compile(
    r"(?:(?:so|thus|therefore|hence),?\s)?(?:(?:the|my)\s)?(?:(?:correct|final|right|best)\s)?answer(?:\sis|\swas)?:?\s+"
    r"|(?:it|that|this|there)(?:'s|\s(?:is|was|are|were))\s+"
)
_ARTICLE = re.compile(r"\b(?:an?|the)\s+")
_SECONDS = {"m": 60.0, "s": 1.0}
_KINDS = {"range": _RANGE, "time": _TIME, "number": _COUNT, "place": _PLACE_RUN}
"""Kinds that are looked for, each within what the earlier ones leave."""


class Value(NamedTuple):
    """What is said: its `kind` (`number`, `time`, `range`, `place`, `sequence` or `words`) and its parts, times in
    seconds."""

    kind: str
    parts: tuple[float, ...] | tuple[str, ...]


def plain(text: str) -> str:
    """The text in small letters and plain characters, number words as digits."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    folded = re.sub(r"[–—−‐‑]", "-", folded)
    folded = _PRONOUN.sub("what", folded)
    folded = re.sub(r"\b[a-z]+\b", lambda match: _DIGITS.get(match[0], match[0]), folded)
    return re.sub(r"\s+", " ", folded).strip()


def value_of(text: str) -> Value:
    """The value that the whole text is."""
    said = plain(text).strip(" .!\"'`*")
    said = said[match.end() :] if (match := _LEAD.match(said)) else said
    for kind, pattern in _KINDS.items():
        bare = re.sub(r"^(?:from|between|at|about|in|the)\s", "", said) if kind in ("range", "place") else said
        match = pattern.fullmatch(bare)
        if match is not None and (value := _made(kind, match)) is not None:
            return value
    steps = [_words(step) for step in _STEP.split(said)]
    if len(steps) > 1 and re.search(r"→|->|=>|>", said) and all(steps):
        return Value("sequence", tuple("".join(step) for step in steps))
    return Value("words", _words(said))


def same(one: Value, other: Value) -> bool:
    """Whether both say the same. A bare number beside a time is in seconds."""
    if one.kind != other.kind:
        return {one.kind, other.kind} == {"number", "time"} and one.parts == other.parts
    return one.parts == other.parts and bool(one.parts)


def same_as_reference(said: str, reference: str) -> bool:
    """Whether an answer says just what the reference says. A time's unit may be missing in the answer only."""
    found, right = value_of(said), value_of(reference)
    if right.kind == "number" and found.kind == "time":
        return False
    return same(found, right)


def values_in(text: str, kind: str) -> list[Value]:
    """The different values of a kind that occur in a text, in order; the numbers of times and the times of ranges are
    none by themselves, but "3-4" is two numbers."""
    said = plain(text)
    for name, pattern in _KINDS.items():
        if name == kind:
            made = [_made(name, match) for match in pattern.finditer(said)]
            return list(dict.fromkeys(value for value in made if value is not None))
        if (name, kind) != ("range", "number"):
            said = pattern.sub(" | ", said)
    return []


def _made(kind: str, match: re.Match[str]) -> Value | None:
    """The value of a match; None where it's none after all, such as numbers that have no order."""
    if kind == "place":
        return Value("place", tuple(sorted({_PLACES[word] for word in re.findall(_PLACE, match[0])})))
    if kind == "number":
        return Value("number", (float(match[1]),))
    if kind == "time":
        return Value("time", (_seconds(match[1] or match[2], match[3] or "s"),))
    unit = match[4] or match[2] or "s"
    start, end = _seconds(match[1], match[2] or unit), _seconds(match[3], unit)
    return Value("range", (start, end)) if start < end else None


def _seconds(number: str, unit: str) -> float:
    if ":" in number:
        minutes, seconds = number.split(":")
        return round(60 * int(minutes) + float(seconds), 3)
    factor = 0.001 if unit.startswith(("ms", "milli")) else _SECONDS[unit[0]]
    return round(float(number) * factor, 6)


def _words(text: str) -> tuple[str, ...]:
    """The words without articles and punctuation."""
    return tuple(re.findall(r"[^\W_]+", _ARTICLE.sub("", f"{text} ")))


def spoken(value: Value) -> Iterator[str]:
    """Other wordings of a number, a time, a range or a place."""
    if value.kind == "number" and value.parts[0] in range(len(_SMALL)):
        yield _SMALL[int(value.parts[0])]
    elif value.kind == "time":
        yield f"{value.parts[0]:.2f} seconds"
        yield f"{int(float(value.parts[0]) // 60)}:{float(value.parts[0]) % 60:05.2f}"
    elif value.kind == "range":
        yield "from {:.2f} s to {:.2f} s".format(*value.parts)
    elif value.kind == "place":
        yield " ".join({"center": "middle", "top": "upper", "bottom": "lower"}.get(str(p), str(p)) for p in value.parts)
