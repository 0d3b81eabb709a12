"""Respondents whose skill and habits are known, so that what a method makes of their answers can be computed."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping

from egocross_eval import Capabilities, ModelAdapter, Question, Request, Response, TextPart


def last_words(request: Request) -> str:
    return [part.text for part in request.prompt.messages[-1].parts if isinstance(part, TextPart)][-1]


class Respondent(ModelAdapter):
    """Finds each option more or less fitting: by `skill` where it's right, and by chance (standard deviation 1).

    `first` is added to what stands first among options, `yes` to affirming. It answers by log-probabilities where it's
    asked to choose, and otherwise by the letter of what it likes best.
    """

    def __init__(
        self, questions: Mapping[str, Question], *, skill: float, first: float = 0.0, yes: float = 0.0
    ) -> None:
        self._questions = questions
        self._skill, self._first, self._yes = skill, first, yes
        self.asked: list[Request] = []

    def capabilities(self) -> Capabilities:
        return Capabilities(scores=True, needs_content=False)

    def fit(self, key: str, text: str) -> float:
        """How fitting it finds an option of a question."""
        question = self._questions[key]
        right = question.options[question.target or ""] == text
        return random.Random(f"{key} {text}").gauss(self._skill if right else 0.0)

    def prefers(self, key: str) -> str:
        """Text of the option that it finds most fitting."""
        return max(self._questions[key].options.values(), key=lambda text: self.fit(key, text))

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for request in requests:
            self.asked.append(request)
            yield self.answer(request)

    def answer(self, request: Request) -> Response:
        key = request.key.partition("#")[0]
        if "Yes" in request.choices:
            option = next(
                t for t in self._questions[key].options.values() if last_words(request).endswith(f"\nAnswer: {t}")
            )
            odds = {"Yes": self.fit(key, option) + self._yes, "No": 0.0}
        else:
            odds = {label: self.fit(key, text) for label, text in request.options.items()}
            odds[next(iter(odds))] += self._first
        if request.settings.answer_mode == "choose":
            total = math.log(sum(math.exp(value) for value in odds.values()))
            return Response(key=request.key, scores={label: value - total for label, value in odds.items()})
        return Response(key=request.key, text=max(odds, key=lambda label: odds[label]), finish_reason="stop")
