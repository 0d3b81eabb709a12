"""Is a method one? It is driven over questions by answers of several habits, and looked at between its rounds."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import msgspec

from egocross_eval.contracts.method import Method, MethodType
from egocross_eval.contracts.registry import registry
from egocross_eval.errors import UsageError
from egocross_eval.methods.select import build_method
from egocross_eval.prompts.renderer import Renderer
from egocross_eval.reading.response import read_response
from egocross_eval.schema import Answer, Ask, Decision, Question, Response, Sent
from egocross_eval.settings import AnswerMode, GenerationSettings
from egocross_eval.testing.contract import Check, Contract, NotPromised
from egocross_eval.testing.material import HOSTILE, data_root, questions

_ROUNDS = 100
"""More than any method takes."""

_ASKS = "What to ask next (at least one ask, with names not used before), or the decision."
_LABEL = "Label of the chosen option."
_PURE = "A method is a pure function of the question and the answers so far."
_STATELESS = "It keeps no state"
_MOST = "Most requests that the question can take in all rounds; None where only the first round is known."
_CHOOSES = "An ask is answered by scores where its `answer_mode` is `choose`."

Habit = Callable[[Ask, tuple[str, ...]], Response]
"""How a model answers an ask, given the labels to choose among."""


def _first(ask: Ask, labels: tuple[str, ...]) -> Response:
    return _said(labels[0] if labels else "something")


def _drawn(ask: Ask, labels: tuple[str, ...]) -> Response:
    return _said(random.Random(ask.name).choice(labels) if labels else "3")  # noqa: S311 - repeatable, no secret


def _hostile(ask: Ask, labels: tuple[str, ...]) -> Response:
    return _said(HOSTILE)


def _silent(ask: Ask, labels: tuple[str, ...]) -> Response:
    return _said("")


def _said(text: str) -> Response:
    return Response(key="", text=text)


_HABITS: dict[str, Habit] = {
    "always the first label": _first,
    "any label": _drawn,
    "hostile text": _hostile,
    "nothing": _silent,
}


def method_checks(kind: MethodType, spec: str) -> Iterator[Check]:
    """The checks of a method; `spec` is a `--method` of it."""
    contract = Contract(f"method {kind.name}", "method")
    for name, habit in _HABITS.items():
        yield Check(f"{contract.part}: decides when the answer is {name}", partial(_decides, contract, spec, habit))
    yield Check(f"{contract.part}: asks no more than it says", partial(_asks_no_more, contract, spec))
    yield Check(f"{contract.part}: asks for the scores that it needs", partial(_asks_for_scores, contract, spec))
    yield Check(f"{contract.part}: is a pure function", partial(_is_pure, contract, spec))
    yield Check(f"{contract.part}: goes on with answers from disk", partial(_replays, contract, spec))
    yield Check(f"{contract.part}: keeps questions apart", partial(_keeps_apart, contract, spec))


def _settings(method: Method) -> GenerationSettings:
    """The first settings, of the usual ones, that the method works with for these questions."""
    refused: UsageError | None = None
    modes: tuple[AnswerMode, ...] = ("generate", "choose", "constrained")
    for mode in modes:
        for temperature in (0.0, 0.7):
            settings = GenerationSettings(answer_mode=mode, temperature=temperature)
            try:
                method.check(settings, questions())
            except UsageError as error:
                refused = error
            else:
                return settings
    raise NotPromised(f"it refuses the questions tried here: {refused}")


def _built(spec: str) -> tuple[Method, GenerationSettings]:
    method = build_method(spec, registry())
    return method, _settings(method)


def _decides(contract: Contract, spec: str, habit: Habit) -> None:
    method, settings = _built(spec)
    for question in questions():
        _decision(contract, method, question, settings, habit)


def _decision(
    contract: Contract, method: Method, question: Question, settings: GenerationSettings, habit: Habit
) -> tuple[Decision, list[Answer]]:
    """Asks until the method decides, and holds every step to the contract."""
    question = question.without_target()
    answers: list[Answer] = []
    for _ in range(_ROUNDS):
        step = method.step(question, tuple(answers))
        if isinstance(step, Decision):
            _check_decision(contract, question, step)
            return step, answers
        _check_asks(contract, question, step, answers)
        answers.extend(_answered(ask, question, settings, habit) for ask in step)
    contract.require(False, _ASKS, f"no decision on {question.key} after {_ROUNDS} rounds")
    raise AssertionError


def _check_asks(contract: Contract, question: Question, asks: Sequence[Ask], before: Sequence[Answer]) -> None:
    contract.require(len(asks) > 0, _ASKS, f"neither an ask nor a decision on {question.key}")
    names = [ask.name for ask in (*(answer.ask for answer in before), *asks)]
    contract.require(len(set(names)) == len(names), _ASKS, f"names used twice on {question.key}: {names}")
    contract.require(not any("#" in name for name in names), _ASKS, f"a name with '#': {names}")
    with data_root() as root:
        renderer = Renderer(style=registry().prompt_style("letter"))
        for ask in asks:
            renderer.render(question, root, ask)


def _check_decision(contract: Contract, question: Question, decision: Decision) -> None:
    known = decision.label is None or decision.label in question.options
    contract.require(known, _LABEL, f"the decision {decision.label!r} on {question.key} is no option of it")
    empty = decision.label is None and decision.text is None
    contract.require(
        not empty or bool(decision.reason), _ASKS, f"a decision without label, text and reason: {decision}"
    )


def _answered(ask: Ask, question: Question, settings: GenerationSettings, habit: Habit) -> Answer:
    options = question.options if ask.options is None else ask.options
    labels = tuple(options) if ask.choices is None else ask.choices
    response = habit(ask, labels)
    if (ask.answer_mode or settings.answer_mode) == "choose" and labels:
        chosen = response.text if response.text in labels else labels[-1]
        response = Response(key="", scores={label: -0.1 if label == chosen else -3.0 for label in labels})
    return Answer(ask=ask, sent=Sent(), response=response, reading=read_response(response, options, labels))


def _asks_no_more(contract: Contract, spec: str) -> None:
    method, settings = _built(spec)
    said = [(question, method.most_requests(question)) for question in questions()]
    if all(most is None for _, most in said):
        raise NotPromised("it doesn't say how many requests a question takes: most_requests")
    for question, most in said:
        for habit in _HABITS.values():
            asked = len(_decision(contract, method, question, settings, habit)[1])
            contract.require(most is None or asked <= most, _MOST, f"{question.key} took {asked} requests, not {most}")


def _asks_for_scores(contract: Contract, spec: str) -> None:
    method, settings = _built(spec)
    if "scores" not in method.needs:
        raise NotPromised("it needs no scores")
    decided = (_decision(contract, method, question, settings, _drawn) for question in questions())
    modes = {answer.ask.answer_mode or settings.answer_mode for _, answers in decided for answer in answers}
    contract.require("choose" in modes, _CHOOSES, f"it needs scores, and its asks are answered in the modes {modes}")


def _is_pure(contract: Contract, spec: str) -> None:
    method, settings = _built(spec)
    for question in questions():
        decision, answers = _decision(contract, method, question, settings, _drawn)
        again, _ = _built(spec)
        for same in (method, again):
            other = same.step(question.without_target(), tuple(answers))
            contract.require(other == decision, _PURE, f"{question.key} is decided {decision}, then {other}")


def _replays(contract: Contract, spec: str) -> None:
    """What a killed run finds on disk gives the same next step."""
    method, settings = _built(spec)
    for question in questions():
        decision, answers = _decision(contract, method, question, settings, _drawn)
        kept = msgspec.json.decode(msgspec.json.encode(answers), type=list[Answer])
        for number in range(len(answers) + 1):
            fresh, _ = _built(spec)
            ahead = _try(method, question, answers[:number])
            contract.require(
                ahead == _try(fresh, question, kept[:number]), _STATELESS, f"{question.key} goes on otherwise"
            )
        contract.require(fresh.step(question.without_target(), kept) == decision, _STATELESS, "it decides otherwise")


def _try(method: Method, question: Question, answers: Sequence[Answer]) -> object:
    """The step after some of a round's answers; whatever it raises is a result too, as it may ask for whole rounds."""
    try:
        return method.step(question.without_target(), tuple(answers))
    except Exception as error:
        return repr(error)


def _keeps_apart(contract: Contract, spec: str) -> None:
    method, settings = _built(spec)
    alone = [_decision(contract, method, question, settings, _drawn)[0] for question in questions()]
    backwards = [_decision(contract, method, question, settings, _drawn)[0] for question in reversed(questions())]
    contract.require(alone == backwards[::-1], _STATELESS, "questions asked in another order are decided otherwise")
