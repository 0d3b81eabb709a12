"""`judge`: a model marks an answer in free words by a rubric, from 0 to 5."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from egocross_eval.contracts.grader import Grader
from egocross_eval.grading.free_text import NOT_JUDGED
from egocross_eval.grading.marks import MARKS, read_mark
from egocross_eval.grading.rubric import Rubric, read_rubric
from egocross_eval.grading.values import same_as_reference
from egocross_eval.schema import Answer, Ask, Decision, Grade, Question
from egocross_eval.settings import JudgeSettings

MOST_ASKS = 3
"""How often a judge is asked about one answer until its reply can be read."""

_AGAIN = "\n\nYour reply before could not be read. Reply in that form and with nothing else."


class JudgeGrader(Grader):
    """Right from the threshold on; not judged where no reply could be read."""

    name = "judge"
    description = "a model marks the answer from 0 to 5 by a rubric"
    asks = True

    def __init__(self, settings: JudgeSettings = JudgeSettings()) -> None:  # noqa: B008 - frozen
        self.settings = settings
        self._rubric: Rubric | None = None

    def configured(self, settings: JudgeSettings) -> JudgeGrader:
        """With the rubric read, which may be a file of the user's."""
        grader = type(self)(settings)
        grader._rubric = read_rubric(Path(settings.rubric) if settings.rubric else None)[0]
        return grader

    @property
    def rubric(self) -> Rubric:
        """The rubric by which is marked."""
        if self._rubric is None:
            self._rubric = read_rubric()[0]
        return self._rubric

    def check(self, questions: Sequence[Question]) -> None:
        """Whatever the rubric shows of the right answer is needed."""
        for question in questions:
            self.rubric.check(question)

    def grade(self, question: Question, decision: Decision) -> Grade:
        """What can be told without a judge."""
        if not decision.text:
            return Grade(outcome="not_parsed", reason=decision.reason)
        why = self._matched(question, decision.text)
        if why:
            return Grade(outcome="right", credit=1.0, prediction=decision.text, mark=5.0, reason=why)
        return Grade(outcome="unscored", prediction=decision.text, reason=NOT_JUDGED)

    def step(self, question: Question, decision: Decision, answers: Sequence[Answer]) -> Sequence[Ask] | Grade:
        """One ask, and up to two more where its answer can't be read."""
        known = self.grade(question, decision)
        if known.outcome != "unscored" or not decision.text:
            return known
        mark = read_mark(answers[-1].response) if answers else None
        if mark is None:
            return [self._ask(question, decision.text, len(answers))] if len(answers) < MOST_ASKS else known
        right = mark.value >= self.settings.judge_threshold
        return Grade(
            outcome="right" if right else "wrong",
            credit=float(right),
            prediction=decision.text,
            mark=mark.value,
            reason=mark.reason or None,
        )

    def _ask(self, question: Question, prediction: str, number: int) -> Ask:
        choose = self.settings.judge_answer == "choose"
        text = self._prompt(question, prediction, choose=choose)
        return Ask(
            name=f"judge-{number + 1}" if number else "judge",
            after=text + _AGAIN if number else text,
            choices=MARKS if choose else (),
            answer_mode="choose" if choose else "generate",
            seed=self._seed(question, number),
        )

    def _prompt(self, question: Question, prediction: str, *, choose: bool) -> str:
        return self.rubric.text(question, prediction, choose=choose)

    def _seed(self, question: Question, number: int) -> int:
        return number

    def _matched(self, question: Question, said: str) -> str:
        """Why no judge is needed; empty where one is."""
        references = [text for text in (question.target, question.references.get("answer_text")) if text]
        if self.settings.prematch == "exact" and any(same_as_reference(said, one) for one in references):
            return "says what the reference says"
        if self.settings.prematch == "substring" and any(
            one.strip().casefold() in said.casefold() for one in references
        ):
            return "holds the reference as a substring"
        return ""
