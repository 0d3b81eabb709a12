"""What a question's answers come to: a decision, its grade, and all of it as one line of a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeVar

from egocross_eval.schema.answer import Answer, Failure
from egocross_eval.schema.noun import Noun
from egocross_eval.schema.question import Question

Outcome = Literal["right", "wrong", "not_parsed", "filtered", "errored", "unscored"]
"""What became of a question. `filtered`: a content filter withheld the answer, which is final and counts as wrong.
`unscored`: answered, but the right answer isn't known here."""


class Decision(Noun, frozen=True, kw_only=True):
    """What a method makes of its answers, in terms of the question."""

    label: str | None = None
    """Label of the chosen option."""
    text: str | None = None
    """The answer in words, for a question without options."""
    scores: dict[str, float] = {}
    """Evidence for each option by its label, larger is better, where the method weighs them. `combine` adds what rests
    on log-probabilities as such (log-odds will do): for counts of them name the rule `votes`, or leave it empty."""
    rule: str | None = None
    """How it came about: an extraction rule, `scores`, `votes`, ..."""
    reason: str | None = None
    """Why there is neither a label nor a text."""


class Grade(Noun, frozen=True, kw_only=True):
    """What a decision is worth."""

    outcome: Outcome
    credit: float = 0.0
    """Share of the full mark, in [0, 1]: what accuracies are the means of. Right has 1."""
    prediction: str | None = None
    """What was graded, as tables and prediction files show it: a label, a number, a text."""
    mark: float | None = None
    """A judge's mark, from 0 to 5."""
    reason: str | None = None
    """Why it got that grade, where that isn't plain."""


class Cost(Noun, frozen=True, kw_only=True):
    """What all answers to a question took; None where no response says."""

    requests: int
    input_tokens: int | None
    output_tokens: int | None
    seconds: float | None
    attempts: int
    cached: int
    """Answers that came from the response cache."""


_Number = TypeVar("_Number", int, float)


def _total(values: Iterable[_Number | None]) -> _Number | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


class Sample(Noun, frozen=True, kw_only=True):
    """One line of `samples.jsonl`: a question, its answers, and what they count for."""

    key: str
    question: Question
    answers: tuple[Answer, ...]
    """In the order asked: at least one of the model's, and of a judge's none where none was needed."""
    decision: Decision
    grade: Grade
    finished_at: str
    """UTC, ISO 8601."""

    @property
    def outcome(self) -> Outcome:
        """What became of the question."""
        return self.grade.outcome

    @property
    def failure(self) -> Failure | None:
        """Why the question has no answer, or a content filter's refusal; None where it was answered."""
        responses = [answer.response for answer in self.answers if answer.response.failure is not None]
        if self.outcome == "errored":
            responses = [response for response in responses if response.failed]
        elif self.outcome != "filtered":
            return None
        return responses[0].failure if responses else None

    @property
    def cost(self) -> Cost:
        """Sums over all answers."""
        responses = [answer.response for answer in self.answers]
        return Cost(
            requests=len(responses),
            input_tokens=_total(response.input_tokens for response in responses),
            output_tokens=_total(response.output_tokens for response in responses),
            seconds=_total(response.seconds for response in responses),
            attempts=sum(response.attempts for response in responses),
            cached=sum(response.cached for response in responses),
        )
