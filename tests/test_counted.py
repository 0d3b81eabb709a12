"""Numbers with what they count, in the words of every message."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import egocross_eval
from egocross_eval.counted import agreed, counted, points

PACKAGE = Path(egocross_eval.__file__).parent
NOUNS = (
    *("answers", "clips", "entries", "examples", "files", "frames", "images", "labels", "models", "outputs", "prompts"),
    *("questions", "replicas", "requests", "responses", "rows", "runs", "videos"),
)
PLURAL = re.compile(rf" (?:[a-z]+ )?(?:{'|'.join(NOUNS)})\b")
NEVER_ONE = {
    "table.py": "different models",
    "habits.py": "prompts of different lengths",
    "tabletop_riddles.py": "frames",
}
"""Words of these files that are only said of several."""


@pytest.mark.parametrize(
    ("difference", "said"),
    [(0.0, "0.0"), (-0.0, "0.0"), (-0.0004, "0.0"), (0.0004, "0.0"), (-0.0006, "-0.1"), (0.25, "+25.0")],
)
def test_a_difference_of_nothing_has_no_sign(difference: float, said: str) -> None:
    assert points(difference) == said


def plurals(source: str) -> Iterator[tuple[int, str]]:
    """Line and words where the length of something stands before a plural that is written out."""
    for text in ast.walk(ast.parse(source)):
        if not isinstance(text, ast.JoinedStr):
            continue
        for number, words in zip(text.values, text.values[1:], strict=False):
            if not isinstance(number, ast.FormattedValue) or not isinstance(words, ast.Constant):
                continue
            if _is_length(number.value) and PLURAL.match(str(words.value)):
                yield number.lineno, str(words.value)


def _is_length(found: ast.expr) -> bool:
    return isinstance(found, ast.Call) and isinstance(found.func, ast.Name) and found.func.id == "len"


def test_one_is_one_and_thousands_can_be_read() -> None:
    assert [counted(n, "frame") for n in (0, 1, 2, 12000)] == ["0 frames", "1 frame", "2 frames", "12,000 frames"]
    assert counted(2, "entry", "entries") == "2 entries"


def test_a_verb_goes_with_its_number() -> None:
    assert [agreed(n, "has", "have") for n in (0, 1, 2)] == ["have", "has", "have"]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('f"{len(rows)} rows are"', True),
        ('f"{left} of {len(rows)} shared questions have"', True),
        ("f\"{counted(len(rows), 'row')} here\"", False),
        ('f"questions: {len(rows)}"', False),
    ],
)
def test_plurals_that_are_written_out_are_found(source: str, found: bool) -> None:
    assert bool(list(plurals(source))) == found


def test_no_message_says_one_rows() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line}: {words!r}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, words in plurals(path.read_text(encoding="utf-8"))
        if NEVER_ONE.get(path.name, "nowhere") not in words
    ]
    assert wrong == []
