"""Is a grader one? It grades right, wrong, unread, unknown and hostile decisions of questions that it is for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import get_args

import msgspec

from egocross_eval.contracts.grader import Grader
from egocross_eval.contracts.registry import registry
from egocross_eval.contracts.task import DataSource
from egocross_eval.errors import EgoCrossError
from egocross_eval.schema import Answer, Decision, Grade, Outcome, Question, Response, Sent
from egocross_eval.settings import JudgeSettings
from egocross_eval.testing.contract import Check, Contract, NotPromised, Tried
from egocross_eval.testing.material import HOSTILE, NO_TARGET, questions

_ROUNDS = 20
"""More than any judge is asked about one answer."""

_STEP = "What to ask a judge next (at least one ask, with names not used before), or the grade."
_PURE = "A pure function, so that a run can be graded again."
_UNKNOWN = "Where `question.target` is None the outcome is `unscored`, or `not_parsed` where nothing could be read."
_GRADE = "The grade of a decision on a question that was answered."
_OUTCOME = "What became of a question."
_CHANCE = "Expected credit of a guess among the options, 0 where there are none; None where the target isn't known."


def grader_checks(grader: Grader) -> Iterator[Check]:
    """The checks of a grader, on questions of the registered tasks that it grades."""
    contract = Contract(f"grader {grader.name}", "grader")
    judged: Tried = {"comes to a grade whatever a judge says": (_STEP, _ends)}
    told: Tried = {
        "gives a right answer the full mark": (_GRADE, _knows_right),
        "gives a wrong answer less": (_GRADE, _knows_wrong),
        "gives credits between 0 and 1": (_GRADE, _keeps_bounds),
        "tells unread answers apart": (_UNKNOWN, _tells_unread),
        "leaves answers unscored where the target isn't known": (_UNKNOWN, _leaves_unscored),
        "is a pure function": (_PURE, _is_pure),
        "knows the credit of a guess": (_CHANCE, _knows_chance),
    }
    return contract.checks(judged if grader.asks else told, grader)


def _graded(grader: Grader) -> list[Question]:
    """Some questions with a known target that the grader is for: of each task's first splits that are there."""
    found: list[Question] = []
    benchmarks = set()
    for task in registry().tasks.values():
        if task.benchmark.grader != grader.name or task.benchmark.name in benchmarks:
            continue
        benchmarks.add(task.benchmark.name)
        for split in task.benchmark.splits:
            try:
                loaded = task.load(DataSource(split=split)).questions
            except EgoCrossError:
                continue
            found.extend([question for question in loaded if question.target is not None][:20])
    return found or [*questions(), *(_freely(question) for question in questions())]


def _freely(question: Question) -> Question:
    """The question without its options; the target is the text of the right one."""
    return msgspec.structs.replace(question, options={}, target=question.options[question.target or ""])


def _right(question: Question) -> Decision:
    if question.target in question.options:
        return Decision(label=question.target)
    return Decision(text=question.target)


def _tried(question: Question) -> Iterator[Decision]:
    yield _right(question)
    yield from (Decision(label=label) for label in question.options)
    yield from (Decision(text=text) for text in ("", "0", "I can't tell.", HOSTILE, "9" * 5_000, "nan", "-inf"))
    yield Decision(reason="no_answer")


def _grade(contract: Contract, grader: Grader, question: Question, decision: Decision) -> Grade:
    grade = grader.grade(question, decision)
    contract.require(isinstance(grade, Grade), _GRADE, f"{grade!r} is no Grade")
    known = grade.outcome in get_args(Outcome)
    contract.require(known, _OUTCOME, f"{question.key}: {grade.outcome!r} is no outcome")
    contract.require_type(grade, Grade, _GRADE)
    return grade


def _decided(contract: Contract, grader: Grader) -> list[Question]:
    """The questions of which the grader tells a right answer from a wrong one."""
    found = [
        question
        for question in _graded(grader)
        if _grade(contract, grader, question, _right(question)).outcome in ("right", "wrong")
    ]
    if not found:
        raise NotPromised("it leaves these questions to a judge, or is for others")
    return found


def _knows_right(contract: Contract, grader: Grader) -> None:
    for question in _decided(contract, grader):
        grade = _grade(contract, grader, question, _right(question))
        whole = grade.outcome == "right" and grade.credit == 1
        contract.require(whole, _GRADE, f"the target of {question.key} as the answer is {grade}")


def _wrong(question: Question) -> Iterator[Decision]:
    """Answers that can't be right: the other options, and words that mean nothing."""
    yield from (Decision(label=label) for label in question.options if label not in question.accepted())
    yield Decision(text=NO_TARGET)


def _knows_wrong(contract: Contract, grader: Grader) -> None:
    for question in _decided(contract, grader):
        for decision in _wrong(question):
            grade = _grade(contract, grader, question, decision)
            right = grade.outcome == "right" or grade.credit == 1
            said = decision.label or decision.text
            contract.require(
                not right, _GRADE, f"{said!r} counts as right, where {question.key} has {question.target!r}"
            )


def _keeps_bounds(contract: Contract, grader: Grader) -> None:
    for question in _graded(grader):
        for decision in _tried(question):
            grade = _grade(contract, grader, question, decision)
            bounded = math.isfinite(grade.credit) and 0 <= grade.credit <= 1
            contract.require(bounded, _GRADE, f"{question.key}: a credit of {grade.credit}")
            agree = (grade.outcome == "right") == (grade.credit == 1)
            contract.require(agree, _GRADE, f"{question.key}: {grade.outcome} with a credit of {grade.credit}")


def _tells_unread(contract: Contract, grader: Grader) -> None:
    for question in _graded(grader):
        grade = _grade(contract, grader, question, Decision(reason="no_answer"))
        contract.require(grade.outcome == "not_parsed", _UNKNOWN, f"{question.key}: nothing read is {grade.outcome}")


def _leaves_unscored(contract: Contract, grader: Grader) -> None:
    for question in _decided(contract, grader):
        grade = _grade(contract, grader, question.without_target(), _right(question))
        contract.require(grade.outcome == "unscored", _UNKNOWN, f"{question.key}: {grade.outcome} without a target")


def _is_pure(contract: Contract, grader: Grader) -> None:
    for question in _graded(grader):
        before = msgspec.json.encode(question)
        for decision in _tried(question):
            once, twice = grader.grade(question, decision), grader.grade(question, decision)
            contract.require(once == twice, _PURE, f"{question.key} is graded {once}, then {twice}")
        contract.require(msgspec.json.encode(question) == before, _PURE, f"{question.key} was changed")


def _knows_chance(contract: Contract, grader: Grader) -> None:
    if type(grader).chance is Grader.chance:
        raise NotPromised("it leaves chance as it is")
    for question in _graded(grader):
        chance = grader.chance(question)
        bounded = chance is not None and 0 <= chance <= 1
        contract.require(bounded, _CHANCE, f"{question.key}: a chance of {chance}")
        contract.require(grader.chance(question.without_target()) is None, _CHANCE, "a chance without a target")


def _ends(contract: Contract, grader: Grader) -> None:
    """A judge that says nothing, or something hostile, leads to a grade all the same."""
    grader = grader.configured(JudgeSettings())
    for question in _graded(grader)[:5]:
        for said in ("", HOSTILE):
            grade = _judged(contract, grader, question, Decision(text="a phone"), said)
            contract.require(0 <= grade.credit <= 1, _STEP, f"{question.key}: a credit of {grade.credit}")


def _judged(contract: Contract, grader: Grader, question: Question, decision: Decision, said: str) -> Grade:
    answers: list[Answer] = []
    for _ in range(_ROUNDS):
        step = grader.step(question, decision, tuple(answers))
        if isinstance(step, Grade):
            contract.require_type(step, Grade, _STEP)
            return step
        contract.require(len(step) > 0, _STEP, f"neither an ask nor a grade of {question.key}")
        answers.extend(Answer(ask=ask, sent=Sent(), response=Response(key="", text=said)) for ask in step)
        names = [answer.ask.name for answer in answers]
        contract.require(len(set(names)) == len(names), _STEP, f"names used twice on {question.key}: {names}")
    contract.require(False, _STEP, f"no grade of {question.key} after {_ROUNDS} rounds")
    raise AssertionError
