"""The judging of a run: a pass over the answers that are on disk, into a folder of its own below the run's.

That folder is a run folder like any other, made by the same session, loop and cache. What is asked is a judge, and a
sample holds the question, what the run's model said as the decision, the judge's replies as the answers, and the grade.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from egocross_eval.contracts.faults import guarded
from egocross_eval.contracts.grader import Grader
from egocross_eval.contracts.method import Method
from egocross_eval.contracts.model import ModelAdapter
from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.style import PromptStyle, StyledText
from egocross_eval.contracts.task import Target
from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.spec import ModelSpec
from egocross_eval.prompts.renderer import Renderer
from egocross_eval.runs.approaches import Approach, Approaches
from egocross_eval.runs.decide import judge_step, utc_now
from egocross_eval.runs.options import RunOptions
from egocross_eval.runs.plan import RunPlan
from egocross_eval.runs.session import Session, open_session
from egocross_eval.runs.store import RunFolder
from egocross_eval.schema import (
    Answer,
    Ask,
    Decision,
    Grade,
    Question,
    RunRecord,
    RunSettings,
    Sample,
)
from egocross_eval.settings import GenerationSettings, JudgeSettings, PromptSettings

JUDGES_FOLDER = "judges"
"""Within a run's folder: one folder for each judging."""

_STYLE = PromptStyle(name="judge", description="the grader's words alone", render=lambda question, block: StyledText())


class Case(msgspec.Struct, frozen=True):
    """What is judged."""

    question: Question
    """With what is known of the right answer."""
    decision: Decision
    """What was said."""
    grade: Grade | None = None
    """Set where there is nothing to judge: nothing was said, or the question failed."""


class JudgePlan(RunPlan, frozen=True, kw_only=True):
    """A judging before anything is asked."""

    cases: dict[str, Case]
    """By the question's key."""
    judged: RunRecord
    """Of the run."""

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        """What to ask the judge next, or once it's known what the answer is worth, the decision that was judged."""
        case = self.cases[question.key]
        found = case.grade or judge_step(self.grader, case.question, case.decision, answers)
        return case.decision if isinstance(found, Grade) else found

    def sample(self, question: Question, answers: Sequence[Answer], decision: Decision) -> Sample:
        """The judged answer with its grade."""
        case = self.cases[question.key]
        return Sample(
            key=question.key,
            question=case.question,
            answers=tuple(answers),
            decision=case.decision,
            grade=self._grade(case, answers),
            finished_at=utc_now(),
        )

    def _grade(self, case: Case, answers: Sequence[Answer]) -> Grade:
        failed = next((answer.response.failure for answer in answers if answer.response.failed), None)
        if failed is not None:
            return Grade(outcome="errored", prediction=case.decision.text, reason=failed.kind)
        found = case.grade or judge_step(self.grader, case.question, case.decision, answers)
        return found if isinstance(found, Grade) else Grade(outcome="errored", reason="no_response")

    def is_settled(self, question: Question) -> bool:
        """Whether no judge is needed."""
        return isinstance(self.step(question, ()), Decision)

    def is_judged(self, sample: Sample) -> bool:
        """Whether a sample on disk is of this very case, and the judge didn't fail."""
        case = self.cases.get(sample.key)
        if case is None or any(answer.response.failed for answer in sample.answers):
            return False
        return (sample.question, sample.decision) == (case.question, case.decision)

    def record(self, spec: ModelSpec, adapter: ModelAdapter, registry: Registry) -> RunRecord:
        """`run.json` of the judging: the judge as the model, and the record of what was judged."""
        made = super().record(spec, adapter, registry)
        return msgspec.structs.replace(
            made,
            benchmark=self.judged.benchmark,
            question_count=self.judged.question_count,
            questions_hash=self.judged.questions_hash,
            judged=self.judged,
        )


def cases_of(folder: RunFolder, targets: Mapping[str, Target]) -> list[Case]:
    """What a run's questions were answered, with the right answers in `targets` where there are any.

    Raises `UsageError` for a run that was asked with options, and where it was scored with other answers.
    """
    cases, other = [], []
    for sample in folder.final_samples():
        question, known = sample.question, targets.get(sample.key)
        if question.options:
            raise UsageError(
                f"{folder.path} was asked with options ({question.key} has {len(question.options)}), and a judge marks "
                "answers in free words; ask the open tasks: --tasks open"
            )
        if known is not None:
            if question.target is not None and (question.target, question.references) != (
                known.target,
                known.references,
            ):
                other.append(question.key)
            question = msgspec.structs.replace(question, target=known.target, references=known.references)
        said = sample.decision.text is not None and sample.outcome in ("right", "wrong", "unscored")
        cases.append(Case(question, sample.decision, None if said else sample.grade))
    if other:
        raise UsageError(
            f"{folder.path} was scored with other answers: {len(other)} differ, e.g. that of {other[0]}; score it with "
            f"these first: egocross-eval score {folder.path} --answers FILE"
        )
    return cases


def judge_plan(
    cases: Sequence[Case],
    questions: Sequence[Question],
    judged: RunRecord,
    grader: Grader,
    settings: JudgeSettings,
    registry: Registry,
    *,
    rubric_hash: str = "",
) -> JudgePlan:
    """How the cases are judged, of the `questions` of the run, of which some may have no answer yet.

    Raises `UsageError` where the grader can't judge them.
    """
    with guarded("graders", grader.name, "to check the questions", known=registry):
        grader.check([case.question for case in cases if case.grade is None])
    generation = GenerationSettings(
        answer_mode="choose" if settings.judge_answer == "choose" else "generate",
        max_new_tokens=settings.judge_max_new_tokens,
        temperature=settings.judge_temperature,
    )
    prompt = PromptSettings(style=_STYLE.name, frames="none")
    return JudgePlan(
        benchmark=registry.benchmark(judged.benchmark.name),
        questions=tuple(questions),
        root=None,
        approaches=Approaches(
            labels=(),
            by_values={
                (): Approach(
                    options=RunOptions(prompt=prompt, generation=generation),
                    renderer=Renderer(style=_STYLE, settings=prompt),
                    method=Method(),
                )
            },
        ),
        grader=grader,
        settings=RunSettings(
            tasks=judged.settings.tasks,
            split=judged.settings.split,
            prompt=prompt,
            generation=generation,
            method="",
            grader=grader.name,
            judge=settings,
            rubric_hash=rubric_hash,
        ),
        data_hashes=judged.data_hashes,
        warnings=(),
        cases={case.question.key: case for case in cases},
        judged=judged,
    )


def open_judging(plan: JudgePlan, adapter: ModelAdapter, record: RunRecord, path: Path) -> Session:
    """Starts a judging or goes on with one: pending is what has no sample of the very same case.

    Raises `UsageError` where the folder's judging was made with other settings.
    """
    session = open_session(plan, adapter, record, path)
    judged = {} if session.is_new else {s.key: s.outcome for s in session.folder.final_samples() if plan.is_judged(s)}
    outcomes: dict[str, int] = {}
    for outcome in judged.values():
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    pending = tuple(case.question for key, case in plan.cases.items() if key not in judged)
    return msgspec.structs.replace(session, outcomes=outcomes, pending=pending)


def judged_samples(folder: RunFolder) -> list[Sample]:
    """The samples of the run that a judging judged, each with the grade that it got there, as far as it still fits; of
    a run, its own.

    Raises `UsageError` where the judging doesn't lie in its run.
    """
    if folder.record().judged is None:
        return folder.samples()
    run = RunFolder(folder.path.resolve().parents[1])
    if not run.exists():
        raise UsageError(f"{folder.path} is a judging, and its run isn't there: {run.path}")
    verdicts = {sample.key: sample for sample in folder.final_samples()}
    found = []
    for sample in run.final_samples():
        verdict = verdicts.get(sample.key)
        if verdict is not None and verdict.decision == sample.decision:
            found.append(msgspec.structs.replace(sample, question=verdict.question, grade=verdict.grade))
    return found


def judgings(run: Path) -> list[RunFolder]:
    """The judgings of a run, by name."""
    place = run / JUDGES_FOLDER
    if not place.is_dir():
        return []
    found = [RunFolder(child) for child in sorted(place.iterdir()) if child.is_dir()]
    return [folder for folder in found if folder.exists()]
