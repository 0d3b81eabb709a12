"""`once`: the question is asked as it stands."""

from __future__ import annotations

from collections.abc import Sequence

from egocross_eval.contracts.method import Method, MethodType
from egocross_eval.reading.response import final_text, predicted_text
from egocross_eval.schema import Answer, Ask, Decision, Question


class Once(Method):
    """One ask, whose answer is the decision."""

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        """The plain ask, then what its answer says."""
        return plain_decision(question, answers[0]) if answers else [Ask()]

    def most_requests(self, question: Question) -> int:
        """One."""
        return 1


def plain_decision(question: Question, answer: Answer) -> Decision:
    """The decision that a single answer is: the label of an option, wherever it was shown, or a text in words."""
    if question.options:
        reading, own = answer.reading, _own_labels(question, answer)
        scores = {own.get(label, label): score for label, score in (answer.response.scores or {}).items()}
        label = own.get(reading.label, reading.label) if reading.label is not None else None
        return Decision(label=label, scores=scores, rule=reading.rule, reason=reading.reason)
    final = final_text(answer.response.text or "")
    text, rule = predicted_text(final)
    return Decision(text=text, rule=rule) if text else Decision(reason="empty")


def _own_labels(question: Question, answer: Answer) -> dict[str, str]:
    """By label as shown, the question's label of that option, where they were shown in another order.

    Of options with one text each that stands in its own place is itself, so that none of their scores is lost.
    """
    first = {text: label for label, text in reversed(question.options.items())}
    shown = answer.ask.options or {}
    return {
        label: label if question.options.get(label) == text else first[text]
        for label, text in shown.items()
        if text in first
    }


METHOD = MethodType(
    name="once",
    description="asks each question once, as it stands",
    build=lambda argument, options: Once(),
    cost="one",
    example="once",
)
