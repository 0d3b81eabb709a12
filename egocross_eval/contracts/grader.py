"""The contract of a grader: what a decision is worth."""

from __future__ import annotations

from egocross_eval.schema import Decision, Grade, Question


class Grader:
    """Grades decisions. Override `name`, `description` and `grade`; an instance is registered."""

    name: str = ""
    description: str = ""
    """One line for help."""

    def grade(self, question: Question, decision: Decision) -> Grade:
        """The grade of a decision on a question that was answered. A pure function, so that a run can be graded again.

        Where `question.target` is None the outcome is `unscored`, or `not_parsed` where nothing could be read.
        """
        raise TypeError(f"{type(self).__name__} does not define grade()")

    def chance(self, question: Question) -> float | None:
        """Expected credit of a guess among the options, 0 where there are none; None where the target isn't known."""
        if question.target is None:
            return None
        return len(question.accepted()) / len(question.options) if question.options else 0.0
