"""The contract of a grader: what a decision is worth.

Most graders tell from the decision alone. One that asks a model, a judge, does so after the run, in a pass of its own
over what is on disk (`egocross-eval judge`): `step` is called with no answers first and says what to ask, or gives the
grade; when all of that is answered it's called again with every answer so far, until it gives the grade. It keeps no
state, so a pass that was killed goes on with the answers that are on disk.
"""

from __future__ import annotations

from collections.abc import Sequence

from egocross_eval.schema import Answer, Ask, Decision, Grade, Question
from egocross_eval.settings import JudgeSettings


class Grader:
    """Grades decisions. Override `name`, `description` and `grade`, or `step` where a judge is asked; an instance is
    registered."""

    name: str = ""
    description: str = ""
    """One line for help."""
    asks: bool = False
    """It asks a judge: runs are graded by it in a pass of its own."""
    waits: bool = False
    """It leaves the grades to a judge: a run has no score until one has given them."""

    def grade(self, question: Question, decision: Decision) -> Grade:
        """The grade of a decision on a question that was answered. A pure function, so that a run can be graded again.

        Where `question.target` is None the outcome is `unscored`, or `not_parsed` where nothing could be read.
        """
        raise TypeError(f"{type(self).__name__} does not define grade()")

    def configured(self, settings: JudgeSettings) -> Grader:
        """The grader by these settings; what it reads for them is read here. Raises `UsageError` for what it can't
        use."""
        return self

    def check(self, questions: Sequence[Question]) -> None:
        """Raises `UsageError` where it can't grade these questions, such as for lack of a reference. Called before
        a judge is asked anything."""

    def step(self, question: Question, decision: Decision, answers: Sequence[Answer]) -> Sequence[Ask] | Grade:
        """What to ask a judge next (at least one ask, with names not used before), or the grade.

        `question` carries all that is known of the right answer. `answers` are the judge's to all earlier asks, in the
        order asked; none is a failure. An ask without frames needs `frames=()`, and `after` for its words.
        """
        return self.grade(question, decision)

    def chance(self, question: Question) -> float | None:
        """Expected credit of a guess among the options, 0 where there are none; None where the target isn't known."""
        if question.target is None:
            return None
        return len(question.accepted()) / len(question.options) if question.options else 0.0
