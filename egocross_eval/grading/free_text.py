"""`open`: an answer in free words waits for a judge."""

from __future__ import annotations

from egocross_eval.contracts.grader import Grader
from egocross_eval.schema import Decision, Grade, Question

NOT_JUDGED = "not judged"
"""Reason of a grade that waits for a judge, or that a judge could not give."""


class FreeTextGrader(Grader):
    """Every answer is unscored until a judge has graded it; where there is none, not parsed."""

    name = "open"
    waits = True
    description = "an answer in free words waits for a judge (egocross-eval judge)"

    def grade(self, question: Question, decision: Decision) -> Grade:
        """Unscored, or not parsed where nothing was said."""
        if not decision.text:
            return Grade(outcome="not_parsed", reason=decision.reason)
        return Grade(outcome="unscored", prediction=decision.text, reason=NOT_JUDGED)
