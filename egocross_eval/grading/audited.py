"""The judge as an audit asks it: some answers in the other order, and again."""

from __future__ import annotations

from egocross_eval.grading.judge import JudgeGrader
from egocross_eval.schema import Question

CONTROL = "control"
SWAPPED = "swapped"
REPEAT = "repeat"
ROOT = "question"
"""Labels of an audit's questions: the kind of the control, whether it's shown in the other order or again, and the key
of the question that it was made of."""


class AuditedJudge(JudgeGrader):
    """Asks as the judge does, as the labels of the question say."""

    @classmethod
    def of(cls, judge: JudgeGrader) -> AuditedJudge:
        """With the settings and the rubric of a judge."""
        made = cls(judge.settings)
        made._rubric = judge.rubric
        return made

    def _prompt(self, question: Question, prediction: str, *, choose: bool) -> str:
        return self.rubric.text(question, prediction, choose=choose, swapped=bool(question.label(SWAPPED)))

    def _seed(self, question: Question, number: int) -> int:
        return number + 100 * int(question.label(REPEAT) or 0)
