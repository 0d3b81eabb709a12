"""The words, numbers and signs of a text, so that two ways of writing the same thing come out alike."""

from __future__ import annotations

from typing import NamedTuple

from egocross_eval.reading.patterns import Pattern

TOKEN = Pattern(
    r"\d+(?:[.,:]\d+)*|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\d_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+(?:'[^\W\d_]+)*"
    r"|(?<![\w)])-(?=[\d.√π])|(?:(?<=[\d)])|(?<=\ds)|(?<=\d\ss))\s?[-–+]\s?(?=[\d(])|[+×÷=<>≤≥%°√π±∞^]|(?<=\w)/(?=\w)",
    0,
)
_THOUSANDS = Pattern(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?\Z", 0)
_SECONDS = frozenset({"s", "sec", "secs", "second", "seconds"})
_RANGE = frozenset({"-", "to", "until"})
_NUMBER_NEXT = Pattern(r"\s?\d", 0)
_SAME_WORD = {
    "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
    "ten": "10",
    "centre": "center", "eleven": "11", "twelve": "12",
}  # fmt: skip


class Token(NamedTuple):
    """One word, number or sign of a text, case-folded, with its offsets in it."""

    word: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """The words, numbers and signs of a cleaned text; "3 s to 5 sec" and "3-5 seconds" come out alike."""
    found: list[Token] = []
    for match in TOKEN.finditer(text):
        word = word_of(match[0])
        behind_number = bool(found) and (found[-1].word[0].isdigit() or found[-1].word == "s")
        if behind_number and word in _SECONDS:
            word = "s"
        elif (
            behind_number
            and (word in _RANGE or (word == "and" and _is_between(found)))
            and _NUMBER_NEXT.match(text, match.end())
        ):
            word = "-"
            if found[-1].word == "s":
                found.pop()
        found.append(Token(word, match.start(), match.end()))
    return found


def _is_between(found: list[Token]) -> bool:
    """Whether the last words are "between 4.2", "between 4.2 s"."""
    at = -3 if found[-1].word == "s" else -2
    return len(found) >= -at and found[at].word == "between"


def word_of(raw: str) -> str:
    """One word, number or sign as it is compared: case-folded, numbers in digits."""
    word = raw.strip().casefold().replace("–", "-")
    if word[0].isdigit():
        if _THOUSANDS.match(word):
            word = word.replace(",", "")
        if "." in word and word.count(".") == 1 and ":" not in word:
            word = word.rstrip("0").rstrip(".")
        return word
    return _SAME_WORD.get(word, word)
