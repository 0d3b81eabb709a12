"""Is a method one? It is driven over questions by models of several habits, and looked at between its rounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from egocross_eval.contracts.method import Method, MethodType
from egocross_eval.contracts.registry import registry
from egocross_eval.counted import counted
from egocross_eval.errors import UsageError
from egocross_eval.frames.roots import DataRoot
from egocross_eval.methods.select import build_method
from egocross_eval.prompts.renderer import Renderer
from egocross_eval.reading.response import read_response
from egocross_eval.schema import Answer, Ask, Decision, Question, Sent
from egocross_eval.settings import AnswerMode, GenerationSettings
from egocross_eval.testing.contract import Check, Contract, NotPromised
from egocross_eval.testing.habits import HABITS, SILENT, STEADY, Habit, Shown
from egocross_eval.testing.material import data_root, places, questions

_ROUNDS = 100
"""More than any method takes."""

_MODES: tuple[AnswerMode, ...] = ("generate", "choose", "constrained")

_ASKS = "What to ask next (at least one ask, with names not used before), or the decision."
_LABEL = "Label of the chosen option."
_PURE = "A method is a pure function of the question and the answers so far."
_STATELESS = "It keeps no state"
_MOST = "Most requests that the question can take in all rounds; None where only the first round is known."
_TARGET = "`question` carries no target"
_OWN = "The decision's label is the question's own, whatever labels an ask showed its options under."
_NOTHING = "Where no answer says anything it has none: nothing is guessed."
_CHOOSES = "An ask is answered by scores where its `answer_mode` is `choose`."


class _Trial(NamedTuple):
    """A method, and what it is tried with."""

    contract: Contract
    spec: str
    method: Method
    settings: GenerationSettings
    questions: tuple[Question, ...]
    root: DataRoot | None = None
    """Where the frames are; None: asks aren't worded."""


def method_checks(kind: MethodType, spec: str) -> Iterator[Check]:
    """The checks of a method; `spec` is a `--method` of it."""
    contract = Contract(f"method {kind.name}", "method")
    for name, habits in HABITS.items():
        decides = partial(_decides, contract, spec, habits)
        yield contract.check(f"decides when the answer is {name}", _ASKS, decides)
    every = [habit for habits in HABITS.values() for habit in habits]
    by_scores = partial(_decides, contract, spec, every, ("choose",))
    yield contract.check("decides by scores too", _ASKS, by_scores)
    for name, words, try_it in (
        ("asks no more than it says", _MOST, _asks_no_more),
        ("asks for the scores that it needs", _CHOOSES, _asks_for_scores),
        ("decides for the option that is always given", _OWN, _keeps_labels),
        ("guesses nothing", _NOTHING, _guesses_nothing),
        ("is a pure function", _PURE, _is_pure),
        ("doesn't look at the right answer", _TARGET, _is_blind),
        ("goes on with answers from disk", _STATELESS, _replays),
        ("keeps questions apart", _STATELESS, _keeps_apart),
    ):
        yield contract.check(name, words, partial(try_it, contract, spec))


def _tried(contract: Contract, spec: str, modes: Sequence[AnswerMode] = _MODES) -> _Trial:
    method = build_method(spec, registry())
    return _Trial(contract, spec, method, *_taken(method, modes))


def _taken(method: Method, modes: Sequence[AnswerMode]) -> tuple[GenerationSettings, tuple[Question, ...]]:
    """The first settings, of the usual ones, that the method works with, and the questions that it takes then."""
    refused: UsageError | None = None
    for mode in modes:
        for temperature in (0.0, 0.7):
            settings = GenerationSettings(answer_mode=mode, temperature=temperature)
            taken = []
            for question in (*questions(), *places()):
                try:
                    method.check(settings, (question.without_target(),))
                except UsageError as error:
                    refused = error
                else:
                    taken.append(question)
            if taken:
                return settings, tuple(taken)
    raise NotPromised(f"it refuses the questions tried here: {refused}")


def _decides(contract: Contract, spec: str, habits: Sequence[Habit], modes: Sequence[AnswerMode] = _MODES) -> None:
    trial = _tried(contract, spec, modes)
    with data_root() as root:
        for habit in habits:
            for question in trial.questions:
                _decision(trial._replace(root=root), question, habit)


def _driven(trial: _Trial) -> Iterator[tuple[Question, Decision, list[Answer]]]:
    """Each question as a model of each habit leads to a decision on it."""
    for habits in HABITS.values():
        for habit in habits:
            for question in trial.questions:
                yield question, *_decision(trial, question, habit)


def _decision(trial: _Trial, question: Question, habit: Habit) -> tuple[Decision, list[Answer]]:
    """Asks until the method decides, and holds every step to the contract."""
    question = question.without_target()
    answers: list[Answer] = []
    for _ in range(_ROUNDS):
        step = trial.method.step(question, tuple(answers))
        if isinstance(step, Decision):
            _check_decision(trial.contract, question, step)
            return step, answers
        _check_asks(trial, question, step, answers)
        answers.extend(_answered(ask, question, trial.settings, habit) for ask in step)
    trial.contract.require(False, _ASKS, f"no decision on {question.key} after {_ROUNDS} rounds")
    raise AssertionError


def _check_asks(trial: _Trial, question: Question, asks: Sequence[Ask], before: Sequence[Answer]) -> None:
    contract = trial.contract
    contract.require(isinstance(asks, Sequence), _ASKS, f"{asks!r} on {question.key}: neither asks nor a decision")
    contract.require(len(asks) > 0, _ASKS, f"neither an ask nor a decision on {question.key}")
    for ask in asks:
        contract.require_type(ask, Ask, _ASKS)
    names = [ask.name for ask in (*(answer.ask for answer in before), *asks)]
    contract.require(len(set(names)) == len(names), _ASKS, f"names used twice on {question.key}: {names}")
    contract.require(not any("#" in name for name in names), _ASKS, f"a name with '#': {names}")
    if trial.root is not None:
        renderer = Renderer(style=registry().prompt_style("letter"))
        for ask in asks:
            renderer.render(question, trial.root, ask)


def _check_decision(contract: Contract, question: Question, decision: Decision) -> None:
    contract.require_type(decision, Decision, _ASKS)
    known = decision.label is None or decision.label in question.options
    contract.require(known, _LABEL, f"the decision {decision.label!r} on {question.key} is no option of it")
    empty = decision.label is None and decision.text is None
    contract.require(
        not empty or bool(decision.reason), _ASKS, f"a decision without label, text and reason: {decision}"
    )


def _answered(ask: Ask, question: Question, settings: GenerationSettings, habit: Habit) -> Answer:
    options = question.options if ask.options is None else ask.options
    labels = tuple(options) if ask.choices is None else ask.choices
    scored = (ask.answer_mode or settings.answer_mode) == "choose" and bool(labels)
    response = habit(Shown(question, ask, options, labels, scored))
    return Answer(ask=ask, sent=Sent(), response=response, reading=read_response(response, options, labels))


def _asks_no_more(contract: Contract, spec: str) -> None:
    trial = _tried(contract, spec)
    most = {question.key: trial.method.most_requests(question.without_target()) for question in trial.questions}
    if all(number is None for number in most.values()):
        raise NotPromised("it doesn't say how many requests a question takes: most_requests")
    for question, _, answers in _driven(trial):
        said = most[question.key]
        kept = said is None or len(answers) <= said
        contract.require(kept, _MOST, f"{question.key} took {counted(len(answers), 'request')}, not {said}")


def _asks_for_scores(contract: Contract, spec: str) -> None:
    trial = _tried(contract, spec)
    if "scores" not in trial.method.needs:
        raise NotPromised("it needs no scores")
    mode = trial.settings.answer_mode
    modes = {answer.ask.answer_mode or mode for _, _, answers in _driven(trial) for answer in answers}
    contract.require("choose" in modes, _CHOOSES, f"it needs scores, and its asks are answered in the modes {modes}")


def _keeps_labels(contract: Contract, spec: str) -> None:
    """A model that gives one option wherever it stands, and is asked in the question's own words alone, is believed."""
    trial = _tried(contract, spec)
    plain = 0
    for place, habit in enumerate(HABITS[STEADY]):
        for question in trial.questions:
            decision, answers = _decision(trial, question, habit)
            if any(_has_own_words(answer.ask) for answer in answers):
                continue
            plain += 1
            given = tuple(question.options)[place % len(question.options)]
            said = f"{question.key} is decided {decision.label}, where each answer was the option {given}"
            contract.require(decision.label in (None, given), _OWN, said)
    if not plain:
        raise NotPromised("its asks have words or choices of their own")


def _has_own_words(ask: Ask) -> bool:
    return ask.text is not None or ask.after is not None or ask.choices is not None


def _guesses_nothing(contract: Contract, spec: str) -> None:
    trial = _tried(contract, spec)
    (habit,) = HABITS[SILENT]
    silent = 0
    for question in trial.questions:
        decision, answers = _decision(trial, question, habit)
        if any(answer.response.text != "" for answer in answers):
            continue
        silent += 1
        said = f"{question.key} is decided {decision.label or decision.text}, where no answer says anything"
        contract.require(decision.label is None and not decision.text, _NOTHING, said)
    if not silent:
        raise NotPromised("its asks are answered by scores, which always say something")


def _is_pure(contract: Contract, spec: str) -> None:
    trial = _tried(contract, spec)
    for question, decision, answers in _driven(trial):
        for same in (trial.method, build_method(spec, registry())):
            other = same.step(question.without_target(), tuple(answers))
            contract.require(other == decision, _PURE, f"{question.key} is decided {decision}, then {other}")


def _is_blind(contract: Contract, spec: str) -> None:
    """Each step is the same whatever the right answer is."""
    trial = _tried(contract, spec)
    for question, _, answers in _driven(trial):
        for number in range(len(answers) + 1):
            plain = _try(trial.method, question.without_target(), answers[:number])
            if _try(trial.method, question.without_target(), answers[:number]) != plain:
                raise NotPromised("its steps differ from time to time, whatever the right answer is")
            for target in question.options:
                told = msgspec.structs.replace(question, target=target, references={"answer": target})
                same = _try(trial.method, told, answers[:number]) == plain
                contract.require(same, _TARGET, f"{question.key} goes on otherwise where its target is {target}")


def _replays(contract: Contract, spec: str) -> None:
    """What a killed run finds on disk gives the same next step."""
    trial = _tried(contract, spec)
    for question, decision, answers in _driven(trial):
        asked = question.without_target()
        kept = msgspec.json.decode(msgspec.json.encode(answers), type=list[Answer])
        for number in range(len(answers) + 1):
            fresh = build_method(spec, registry())
            same = _try(trial.method, asked, answers[:number]) == _try(fresh, asked, kept[:number])
            contract.require(same, _STATELESS, f"{question.key} goes on otherwise")
        contract.require(fresh.step(asked, kept) == decision, _STATELESS, "it decides otherwise")


def _try(method: Method, question: Question, answers: Sequence[Answer]) -> object:
    """The step after some of a round's answers; whatever it raises is a result too, as it may ask for whole rounds."""
    try:
        return method.step(question, tuple(answers))
    except Exception as error:
        return repr(error)


def _keeps_apart(contract: Contract, spec: str) -> None:
    trial = _tried(contract, spec)
    alone = [decision for _, decision, _ in _driven(trial)]
    backwards = trial._replace(questions=trial.questions[::-1])
    again = [decision for _, decision, _ in _driven(backwards)]
    count = len(trial.questions)
    expected = [decision for start in range(0, len(alone), count) for decision in alone[start : start + count][::-1]]
    contract.require(again == expected, _STATELESS, "questions asked in another order are decided otherwise")
