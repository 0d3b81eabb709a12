"""`count`: a number, or the boxes of what is to be counted, and the option that is nearest to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from egocross_eval.contracts.method import Method, MethodType, Need
from egocross_eval.methods.evidence import strongest
from egocross_eval.methods.option_values import count, require
from egocross_eval.methods.point import PLACE
from egocross_eval.reading.response import final_text
from egocross_eval.schema import Answer, Ask, Decision, Question
from egocross_eval.settings import GenerationSettings

_WHOLE = re.compile(r"(?<![\d.])\d+(?![\d.]*\d)")
_LABEL = re.compile(r'"label"\s*:\s*"([^"]+)"')


class CountOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of `count`."""

    by: Annotated[
        Literal["number", "boxes", "both"],
        msgspec.Meta(description="asks for the number, for a box around each kind, or for both: the mean counts"),
    ] = "number"


class Count(Method):
    """Asks `number`, `boxes` or both."""

    needs: frozenset[Need] = frozenset({"options"})

    def __init__(self, options: CountOptions) -> None:
        self._names = ("number", "boxes") if options.by == "both" else (options.by,)

    def check(self, settings: GenerationSettings, questions: Sequence[Question]) -> None:
        """Options must be whole numbers."""
        require("count", questions, count, "whole numbers")

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        """The asks, then the nearest option."""
        if not answers:
            return [
                Ask(name=name, after=f"Question: {question.text}\n{_WORDS[name]}", answer_mode="generate", choices=())
                for name in self._names
            ]
        read = [_READ[answer.ask.name](final_text(answer.response.text or "")) for answer in answers]
        known = [number for number in read if number is not None]
        if not known:
            return Decision(reason="no_number")
        found = sum(known) / len(known)
        away = {label: -abs((count(text) or 0) - found) for label, text in question.options.items()}
        return strongest(question, away, "counted")

    def most_requests(self, question: Question) -> int:
        """One, or two where both are asked for."""
        return len(self._names)


_WORDS = {
    "number": "Reply with the number only.",
    "boxes": (
        "Do not count. List each kind once, in JSON: "
        '[{"label": "what it is", "box": [left, top, right, bottom]}, ...], '
        "in whole numbers from 0 to 1000 of the width and of the height. Write nothing else."
    ),
}


def read_number(text: str) -> int | None:
    """The one whole number that is said; None where there is none, or several."""
    numbers = {int(found) for found in _WHOLE.findall(text)}
    return numbers.pop() if len(numbers) == 1 else None


def read_boxes(text: str) -> int | None:
    """How many kinds were boxed: labels that differ, or boxes where they have no labels; None for no list at all."""
    labels = {label.strip().casefold() for label in _LABEL.findall(text)}
    boxes = [found for found in PLACE.findall(text) if found.count(",") == 3]
    if not boxes and text.strip() not in ("[]", "```json\n[]\n```"):
        return None
    return len(labels) or len(boxes)


_READ = {"number": read_number, "boxes": read_boxes}


def build(argument: str, options: CountOptions) -> Count:
    """The method for `count`."""
    return Count(options)


METHOD = MethodType(
    name="count",
    description="asks for a number, or for boxes that are counted; the nearest option counts",
    build=build,
    options=CountOptions,
    cost="one, or two with by=both",
    example="count:by=boxes",
)
