"""The audit of judges: answers whose verdict is known are judged as any run's are, into a folder that can be gone on
with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from egocross_eval.contracts.registry import Registry
from egocross_eval.counted import agreed, counted
from egocross_eval.documents import read_json
from egocross_eval.errors import DataError, UsageError
from egocross_eval.grading.audited import CONTROL, REPEAT, ROOT, SWAPPED, AuditedJudge
from egocross_eval.grading.controls import KINDS, TWICE, controls
from egocross_eval.grading.judge import JudgeGrader
from egocross_eval.judging import Judge, Tell, judge_cases, plan_for
from egocross_eval.runs.decide import utc_now
from egocross_eval.runs.judging import Case
from egocross_eval.runs.plan import RunPlan
from egocross_eval.runs.store import RunFolder, pretty_json, questions_hash, write_atomically
from egocross_eval.schema import SCHEMA_VERSION, Decision, ModelRecord, Question, RunRecord
from egocross_eval.scoring.corrected import Rates
from egocross_eval.scoring.judge_audit import JudgeAudit, judge_audit

AUDIT_FILE = "audit.json"

CONTROLS = "controls"
"""In the place of a model."""


def audit_judge(
    judge: Judge, plan: RunPlan, path: Path, registry: Registry, *, repeats: int, tell: Tell, use_cache: bool = True
) -> JudgeAudit:
    """Judges the controls of the plan's questions in the folder `path`, and says what the judge is worth.

    Raises `UsageError` where questions have options or no known answer.
    """
    check_audit(plan.questions)
    if isinstance(judge.grader, JudgeGrader):
        judge = msgspec.structs.replace(judge, grader=AuditedJudge.of(judge.grader))
    cases = list(_numbered(_cases(plan, judge.grader.asks, repeats)))
    questions = [case.question for case in cases]
    folder = judge_cases(
        plan_for(judge, cases, questions, _record(plan, questions), registry),
        judge,
        path,
        registry,
        tell=tell,
        use_cache=use_cache,
    )
    found = judge_audit(folder.final_samples(), plan.benchmark.record(), folder.record().judge_title)
    write_atomically(path / AUDIT_FILE, pretty_json(found))
    return found


def check_audit(questions: Sequence[Question]) -> None:
    """Raises `UsageError` or `DataError` for questions that no control can be made of."""
    closed = next((question for question in questions if question.options), None)
    if closed is not None:
        raise UsageError(f"{closed.key} has options, and judges mark answers in free words: --tasks open")
    unknown = [question.key for question in questions if not question.target]
    if unknown:
        raise DataError(
            f"{len(unknown)} of {counted(len(questions), 'question')} {agreed(len(unknown), 'has', 'have')} no "
            "known answer, which controls are made of (e.g. "
            f"{unknown[0]}); give a file of answers: --answers FILE, or --split demo"
        )


def _cases(plan: RunPlan, asks: bool, repeats: int) -> Iterator[Case]:
    """Each control once, and some in the other order and again where a model is asked."""
    seed = plan.settings.generation.seed
    for question in plan.questions:
        for control in controls(question, seed):
            yield _case(question, control.kind, control.text, {})
            if asks and control.kind in TWICE:
                yield _case(question, control.kind, control.text, {SWAPPED: "yes"})
                for number in range(1, repeats + 1):
                    yield _case(question, control.kind, control.text, {REPEAT: str(number)})


def _case(question: Question, kind: str, text: str, more: dict[str, str]) -> Case:
    labels = {**question.labels, ROOT: question.key, CONTROL: kind, **more}
    name = ":".join([question.key, kind, *(f"{key}{value}" for key, value in more.items())])
    changed = msgspec.structs.replace(question, key=name, labels=labels, frames=())
    return Case(changed, Decision(text=text, rule=CONTROL))


def _numbered(cases: Iterator[Case]) -> Iterator[Case]:
    for number, case in enumerate(cases, 1):
        yield msgspec.structs.replace(case, question=msgspec.structs.replace(case.question, id=number))


def _record(plan: RunPlan, questions: Sequence[Question]) -> RunRecord:
    """In the place of a run's record: nobody was asked for the controls."""
    return RunRecord(
        schema_version=SCHEMA_VERSION,
        benchmark=plan.benchmark.record(),
        model=ModelRecord(spec=CONTROLS, identity=CONTROLS, fingerprint="", name=CONTROLS),
        settings=plan.settings,
        data_root="",
        data_hashes=plan.data_hashes,
        question_count=len(questions),
        questions_hash=questions_hash(questions),
        created_at=utc_now(),
        versions={},
        plugins={},
    )


def expected(kind: str) -> str:
    """What a control of that kind should be judged."""
    return "right" if KINDS[kind].right else "wrong"


def rates_of(audits: Path, judging: str, record: RunRecord) -> Rates:
    """The error rates of a judge that was audited in a folder below `audits`, whatever its prematch.

    Raises `UsageError` where it wasn't, or another judge was under that name.
    """
    fitting = [
        read_json(path, JudgeAudit)
        for path in sorted(audits.glob(f"*/{AUDIT_FILE}"))
        if _same_judge(RunFolder(path.parent).record(), record)
    ]
    if not fitting or fitting[0].sensitivity is None or fitting[0].specificity is None:
        raise UsageError(
            f"{audits} has no finished audit of {record.model.name}, the judge of {judging}, with these settings: "
            f"egocross-eval judge audit --judge {record.model.spec} --output {audits}"
        )
    right, wrong = fitting[0].sensitivity, fitting[0].specificity
    return Rates(right.value, max(right.error, 1 / right.n), wrong.value, max(wrong.error, 1 / wrong.n))


def _same_judge(audit: RunRecord, judging: RunRecord) -> bool:
    """Whether both were judged by the same model, settings and rubric; an audit asks about everything."""

    def decides(record: RunRecord) -> tuple[object, ...]:
        settings = record.settings
        judge = msgspec.structs.replace(settings.judge, prematch="none") if settings.judge is not None else None
        return record.model.identity, record.model.fingerprint, settings.grader, settings.rubric_hash, judge

    return decides(audit) == decides(judging)
