"""`locate`: the number of the frame in which it happens, and the option whose time is nearest to that frame's."""

from __future__ import annotations

import re
from collections.abc import Sequence

from egocross_eval.contracts.method import Method, MethodType, Need
from egocross_eval.methods.count import read_number
from egocross_eval.methods.evidence import strongest
from egocross_eval.methods.once import plain_decision
from egocross_eval.methods.option_values import count, require, seconds
from egocross_eval.prompts.untimed import is_untimed, untimed_note
from egocross_eval.reading.response import final_text
from egocross_eval.schema import Answer, Ask, Decision, Question
from egocross_eval.settings import GenerationSettings

_OF_ALL = re.compile(r"\bof\s+\d+", re.I)
"""`frame 3 of 8`."""


class Locate(Method):
    """One ask, `frame`, with a number beside each frame.

    A question without frames, or with frames whose times aren't known, is asked as it stands.
    """

    needs: frozenset[Need] = frozenset({"images", "options"})

    def check(self, settings: GenerationSettings, questions: Sequence[Question]) -> None:
        """Options must be times; where all are whole numbers without a unit, they are counts."""
        require("locate", questions, seconds, "times", but=_are_counts)

    def notes(self, questions: Sequence[Question]) -> Sequence[str]:
        """Questions that are asked as they stand, as their frames have no times."""
        unknown = untimed_note(questions)
        return [f"the frame times of {unknown} are not known, so these are asked for the letter"] if unknown else []

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        """The number of the frame, then the nearest option."""
        if not answers:
            return [_ask(question) if question.frames and not is_untimed(question.frames) else Ask()]
        if not answers[0].ask.name:
            return plain_decision(question, answers[0])
        number = read_number(_OF_ALL.sub("", final_text(answers[0].response.text or "")))
        if number is None or not 1 <= number <= len(question.frames):
            return Decision(reason="no_frame")
        time = question.frames[number - 1].time or 0.0
        ranges = {label: seconds(text) or (0.0, 0.0) for label, text in question.options.items()}
        inside = {label: max(start - time, time - end, 0.0) for label, (start, end) in ranges.items()}
        # Of ranges that hold the time, the one whose middle is nearest.
        middle = {label: abs((start + end) / 2 - time) for label, (start, end) in ranges.items()}
        return strongest(question, {label: -(inside[label] + 1e-6 * middle[label]) for label in ranges}, "located")

    def most_requests(self, question: Question) -> int:
        """One."""
        return 1


def _are_counts(question: Question) -> bool:
    return all(count(text) is not None for text in question.options.values())


def _ask(question: Question) -> Ask:
    words = (
        f"Question: {question.text}\n"
        f"In which frame is that seen first? Reply with the number of one frame only, from 1 to {len(question.frames)}."
    )
    return Ask(
        name="frame",
        after=words,
        numbered=True,
        choices=(),
        answer_mode="generate",
    )


METHOD = MethodType(
    name="locate",
    description="asks for the number of the frame in which it happens; the option nearest in time counts",
    build=lambda argument, options: Locate(),
    cost="one",
    example="locate",
)
