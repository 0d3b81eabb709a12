"""`sample:N`: the question is asked N times with sampling, and the most frequent answer counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from egocross_eval.contracts.method import Method, MethodType
from egocross_eval.errors import UsageError
from egocross_eval.methods.evidence import decide
from egocross_eval.methods.once import plain_decision
from egocross_eval.schema import Answer, Ask, Decision, Question
from egocross_eval.settings import GenerationSettings

MOST = 10_000
"""Asks of a question; who writes more has slipped, and they would all be made at once."""


class Sampled(Method):
    """N asks that differ in their seed alone, named `s0`, `s1`, ..."""

    def __init__(self, count: int) -> None:
        self._count = count

    def check(self, settings: GenerationSettings, questions: Sequence[Question]) -> None:
        """Answers must be able to differ."""
        if settings.answer_mode == "choose" or settings.temperature == 0:
            raise UsageError(
                f"--method sample:{self._count} needs generated answers that differ: "
                f"set --temperature above 0, e.g. 0.7"
            )

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        """All asks at once, then the answer that was given most often."""
        if not answers:
            return [Ask(name=f"s{number}", seed=number) for number in range(self._count)]
        if question.options:
            same = {label: label for label in question.options}
            return decide(question, answers, [same] * len(answers))
        return _most_frequent(question, answers)

    def most_requests(self, question: Question) -> int:
        """N."""
        return self._count


def _most_frequent(question: Question, answers: Sequence[Answer]) -> Decision:
    """The most frequent text, without regard to case and space; a tie is an abstention."""
    texts = [found.text for answer in answers if (found := plain_decision(question, answer)).text]
    folded = Counter(" ".join(text.casefold().split()) for text in texts if text)
    if not folded:
        return Decision(reason="no_votes")
    (best, count), *others = folded.most_common()
    if others and others[0][1] == count:
        return Decision(reason="tie")
    chosen = next(text for text in texts if text and " ".join(text.casefold().split()) == best)
    return Decision(text=chosen, rule="votes")


def build(argument: str, options: None) -> Sampled:
    """The method for `sample:N`; N is a whole number from 2 to `MOST`."""
    if not (re.fullmatch(r"\d{1,5}", argument, re.ASCII) and 2 <= int(argument) <= MOST):
        raise UsageError(
            f"--method sample{f':{argument}' if argument else ''}: N must be a whole number from 2 to {MOST:,}, "
            "e.g. sample:5"
        )
    return Sampled(int(argument))


METHOD = MethodType(
    name="sample",
    description="asks N times with sampling; the most frequent answer counts",
    build=build,
    argument="N",
    cost="N",
    example="sample:5",
)
