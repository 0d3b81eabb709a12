"""From the answers to a question to its sample: the method's decision and its grade."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from egocross_eval.contracts.faults import origin
from egocross_eval.contracts.grader import Grader
from egocross_eval.contracts.method import Method
from egocross_eval.contracts.registry import registry
from egocross_eval.errors import EgoCrossError, RunError
from egocross_eval.methods.select import method_name
from egocross_eval.schema import FILTERED, Answer, Ask, Decision, Grade, Question, Sample


def utc_now() -> str:
    """The time as samples and records carry it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def decide(method: Method, name: str, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
    """The method's next asks, or its decision; it never sees the target. Raises `RunError` where it breaks."""
    try:
        step = method.step(question.without_target(), answers)
    except EgoCrossError:
        raise
    except Exception as error:
        raise RunError(
            f"the method {name!r}{origin('methods', method_name(name), registry())} failed on {question.key}: "
            f"{error}\n{traceback.format_exc()}"
        ) from error
    if not isinstance(step, Decision):
        return list(step)
    if question.options and step.label is not None and step.label not in question.options:
        raise RunError(f"the method {name!r} decides for {step.label!r}, which is no option of {question.key}")
    return step


def grade(grader: Grader, question: Question, answers: Sequence[Answer], decision: Decision) -> Grade:
    """The grade of a decision. `errored` where an answer is a failure, `filtered` where a content filter left nothing
    to decide by; raises `RunError` where the grader breaks."""
    failed = next((answer.response.failure for answer in answers if answer.response.failed), None)
    if failed is not None:
        return Grade(outcome="errored", reason=failed.kind)
    if decision.label is None and decision.text is None and any(answer.response.filtered for answer in answers):
        return Grade(outcome="filtered", reason=FILTERED)
    found = _called(grader, question, lambda: grader.grade(question, decision))
    return _checked(grader, question, found)


def judge_step(
    grader: Grader, question: Question, decision: Decision, answers: Sequence[Answer]
) -> Sequence[Ask] | Grade:
    """What a grader asks a judge next, or its grade. Raises `RunError` where the grader breaks."""
    found = _called(grader, question, lambda: grader.step(question, decision, answers))
    return list(found) if isinstance(found, list | tuple) else _checked(grader, question, found)


def _called(grader: Grader, question: Question, call: Callable[[], object]) -> object:
    try:
        return call()
    except EgoCrossError:
        raise
    except Exception as error:
        raise RunError(
            f"the grader {grader.name!r}{origin('graders', grader.name, registry())} failed on {question.key}: "
            f"{error}\n{traceback.format_exc()}"
        ) from error


def _checked(grader: Grader, question: Question, found: object) -> Grade:
    if not isinstance(found, Grade):
        raise RunError(f"the grader {grader.name!r} gave {question.key} {found!r}, which is no Grade")
    if not 0 <= found.credit <= 1 or (found.outcome == "right") != (found.credit == 1):
        raise RunError(
            f"the grader {grader.name!r} gave {question.key} the credit {found.credit} and the outcome "
            f"{found.outcome}: credit is between 0 and 1, and right has 1"
        )
    return found


def make_sample(grader: Grader, question: Question, answers: Sequence[Answer], decision: Decision) -> Sample:
    """The sample of a question whose method decided, or of which an ask failed."""
    return Sample(
        key=question.key,
        question=question,
        answers=tuple(answers),
        decision=decision,
        grade=grade(grader, question, answers, decision),
        finished_at=utc_now(),
    )
