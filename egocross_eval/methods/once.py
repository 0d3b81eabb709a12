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
    """The decision that a single answer to the question as it stands is: an option's label, or a text in words."""
    if question.options:
        reading = answer.reading
        return Decision(
            label=reading.label, scores=answer.response.scores or {}, rule=reading.rule, reason=reading.reason
        )
    final = final_text(answer.response.text or "")
    text, rule = predicted_text(final)
    return Decision(text=text, rule=rule) if text else Decision(reason="empty")


METHOD = MethodType(
    name="once",
    description="asks each question once, as it stands",
    build=lambda argument, options: Once(),
    cost="one",
    example="once",
)
