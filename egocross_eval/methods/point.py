"""`point`: the place of what is asked about, as a point or box, and the option whose region is nearest to it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated

import msgspec

from egocross_eval.contracts.method import Method, MethodType, Need
from egocross_eval.methods.evidence import strongest
from egocross_eval.methods.once import plain_decision
from egocross_eval.methods.option_values import region, require
from egocross_eval.reading.response import final_text
from egocross_eval.schema import Answer, Ask, Decision, Question
from egocross_eval.settings import GenerationSettings

_NUMBER = r"\s*-?\d+(?:\.\d+)?\s*"
PLACE = re.compile(rf"[\[(]({_NUMBER}(?:,{_NUMBER})?(?:,{_NUMBER},{_NUMBER})?)[\])]")
"""Two numbers in brackets, a point, or four, a box."""


class PointOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of `point`."""

    scale: Annotated[
        int, msgspec.Meta(ge=1, description="what coordinates go up to, for width and height alike; Qwen3-VL: 1000")
    ] = 1000


class Point(Method):
    """One ask, `place`. A question without frames is asked as it stands."""

    needs: frozenset[Need] = frozenset({"options"})

    def __init__(self, options: PointOptions) -> None:
        self._scale = options.scale

    def check(self, settings: GenerationSettings, questions: Sequence[Question]) -> None:
        """Options must be regions."""
        require("point", questions, region, "regions of the view")

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        """The place, then the nearest region."""
        if not answers:
            return [self._ask(question) if question.frames else Ask()]
        if not answers[0].ask.name:
            return plain_decision(question, answers[0])
        place = read_place(final_text(answers[0].response.text or ""), self._scale)
        if place is None:
            return Decision(reason="no_place")
        centres = {label: region(text) or (0.5, 0.5) for label, text in question.options.items()}
        return strongest(question, {label: -math.dist(place, centre) for label, centre in centres.items()}, "pointed")

    def most_requests(self, question: Question) -> int:
        """One."""
        return 1

    def _ask(self, question: Question) -> Ask:
        words = (
            f"Question: {question.text}\n"
            "Answer by pointing at it, in the frame that is nearest to the time that the question names. Reply with "
            f'JSON only: {{"box": [left, top, right, bottom]}} or {{"point": [x, y]}}, in whole numbers from 0 to '
            f"{self._scale} of the width and of the height."
        )
        return Ask(name="place", after=words, answer_mode="generate", choices=())


def read_place(text: str, scale: int) -> tuple[float, float] | None:
    """The one point, or the middle of the one box, as shares of width and height.

    None where there is no such thing, where several differ, and where one lies outside the frame.
    """
    places: set[tuple[float, float]] = set()
    for found in PLACE.finditer(text):
        numbers = [float(number) for number in found[1].split(",")]
        if len(numbers) not in (2, 4):
            continue
        # Shares are understood too: no box of pixels lies within one of them.
        unit = 1.0 if max(numbers) <= 1 and "." in found[1] else float(scale)
        half = len(numbers) // 2
        x, y = (sum(numbers[axis::2]) / half / unit for axis in (0, 1))
        places.add((x, y))
    if len(places) != 1:
        return None
    (place,) = places
    return place if all(0 <= share <= 1 for share in place) else None


def build(argument: str, options: PointOptions) -> Point:
    """The method for `point`."""
    return Point(options)


METHOD = MethodType(
    name="point",
    description="asks for a point or box; the option whose region of nine is nearest counts",
    build=build,
    options=PointOptions,
    cost="one",
    example="point",
)
