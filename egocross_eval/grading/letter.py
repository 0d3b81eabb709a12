"""`letter`: the label of an option is right where it's the target, or an option with the very same text."""

from __future__ import annotations

from egocross_eval.contracts.grader import Grader
from egocross_eval.schema import Decision, Grade, Question


class LetterGrader(Grader):
    """Right or wrong by the label of the chosen option; without one, not parsed."""

    name = "letter"
    description = "right where the chosen option is the target, or has its very text"

    def grade(self, question: Question, decision: Decision) -> Grade:
        """Without a known target an answer is unscored, and an unreadable one still not parsed."""
        if decision.label is None:
            return Grade(outcome="not_parsed", reason=decision.reason)
        accepted = question.accepted()
        if not accepted:
            return Grade(outcome="unscored", prediction=decision.label)
        right = decision.label in accepted
        return Grade(outcome="right" if right else "wrong", credit=float(right), prediction=decision.label)
