"""The conformance suite passes our own parts, and names the contract's line that a broken part doesn't keep."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType

import pytest
from fake_server import FakeServer
from told_faults import failures, told

from egocross_eval import (
    AdapterType,
    Answer,
    Ask,
    Capabilities,
    Decision,
    Failure,
    Grade,
    Grader,
    Method,
    MethodType,
    ModelAdapter,
    PromptStyle,
    Question,
    Request,
    Response,
    StyledText,
    UsageError,
)
from egocross_eval.contracts.registry import registry
from egocross_eval.testing import adapters, checks, exporters, graders, methods, tasks
from egocross_eval.testing.adapters import adapter_checks
from egocross_eval.testing.contract import Contract
from egocross_eval.testing.habits import HABITS, SILENT, STEADY
from egocross_eval.testing.material import HOSTILE, NO_TARGET, questions

FORMS = {"submission": "submission:rehearse=true", "every-eval-ever": "every-eval-ever:organization=o,model=a/b"}
NO_WORDS = {HOSTILE, NO_TARGET, SILENT, STEADY}
OWN = ["methods", "graders", "prompt styles"]


@pytest.fixture(scope="module")
def server() -> Iterator[FakeServer]:
    with FakeServer(answers="B", models=("m",)) as running:
        yield running


@pytest.mark.parametrize("plugin", OWN)
def test_our_own_parts_keep_the_contracts(plugin: str) -> None:
    found = checks(plugin)
    assert len(found) > 2
    assert failures(found) == {}


@pytest.mark.parametrize("task", ["all", "animal", "counting"])
def test_our_own_tasks_keep_the_contract(task: str) -> None:
    found = [check for check in checks("egocross") if check.name.startswith(f"task {task}:")]
    assert len(found) == 7
    assert failures(found) == {}


@pytest.mark.parametrize(
    "form",
    [
        "submission",
        "lm-eval",
        "every-eval-ever",
        "hub",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("parquet", "dataset")),
    ],
)
def test_our_own_exporters_keep_the_contract(form: str) -> None:
    plugin = "egocross" if form == "submission" else "interop"
    found = [check for check in checks(plugin, specs=FORMS) if check.name.startswith(f"exporter {form}:")]
    assert len(found) == 5
    assert told(found)[0] == {}
    assert all("replaces what it wrote" in name for name in told(found)[1])


def test_every_method_of_ours_is_tried_by_each_habit() -> None:
    found = [check for check in checks("methods") if ": decides when" in check.name]
    assert len(found) == len(registry().methods) * len(HABITS)
    assert told(found) == ({}, [])


def words_of(module: ModuleType) -> list[str]:
    """The contracts' words that a module of checks quotes."""
    source = ast.parse(inspect.getsource(module))
    used = {node.id for node in ast.walk(source) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return [value for name, value in vars(module).items() if name in used and name.isupper() and isinstance(value, str)]


@pytest.mark.parametrize(
    ("module", "contract"),
    [
        (adapters, "model"),
        (exporters, "exporter"),
        (graders, "grader"),
        (methods, "method"),
        (tasks, "task"),
    ],
)
def test_every_line_that_a_check_quotes_stands_in_its_contract(module: ModuleType, contract: str) -> None:
    quoted = [words for words in words_of(module) if words not in NO_WORDS]
    assert len(quoted) > 1
    for words in quoted:
        assert re.fullmatch(r"egocross_eval/.+\.py:\d+", Contract("it", contract).place(words))


@pytest.mark.parametrize("spec", ["baseline:chance", "baseline:longest", "openai:m,base_url={url},max_retries=0"])
def test_our_own_adapters_keep_the_contract(spec: str, server: FakeServer) -> None:
    spec = spec.format(url=server.base_url)
    found = list(adapter_checks(registry().model_adapters[spec.partition(":")[0]], spec))
    assert len(found) == 10
    assert failures(found) == {}


class Good(ModelAdapter):
    def capabilities(self) -> Capabilities:
        return Capabilities(needs_content=False)

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for request in requests:
            yield Response(key=request.key, text="A")


class Forgetful(Good):
    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        yield from (response for number, response in enumerate(super().generate(requests)) if number % 3 != 2)


class Greedy(Good):
    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        yield from super().generate(iter(list(requests)))


class Boastful(Good):
    def capabilities(self) -> Capabilities:
        return Capabilities(needs_content=False, scores=True)


class Blurred(Good):
    """Looks at frames and goes down with one that isn't there."""

    def capabilities(self) -> Capabilities:
        return Capabilities()

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for request in requests:
            for path in request.prompt.frame_paths():
                open(path).close()  # noqa: PTH123 - as carelessly as it gets
            yield Response(key=request.key, text="A")


class Choosy(Good):
    """Answers nothing about surgery."""

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        yield from super().generate(request for request in requests if request.labels["domain"] != "surgery")


class Restless(Good):
    def fingerprint(self) -> str:
        return str(id(self))


@pytest.mark.parametrize(
    ("adapter", "check", "says"),
    [
        (
            Forgetful,
            "answers each request once",
            r"4 requests, 3 responses \(missing \['q3'\].*model\.py:\d+\): 'yi",
        ),
        (Greedy, "draws requests lazily", r"drawn and none is answered.*model\.py:\d+\): 'draws requests lazily"),
        (Boastful, "gives the scores that it promises", r"scores for \[\] of \['A', 'B', 'C', 'D'\]"),
        (Blurred, "goes on after a frame that can't be read", r"raised FileNotFoundError"),
        (
            Choosy,
            "is killed and goes on",
            r"4 of 8 questions of the demo benchmark got no response.*'yields exactly one",
        ),
        (Restless, "has a fingerprint that stays", r"model\.py:\d+\): 'Identity of the weights"),
    ],
)
def test_a_broken_adapter_is_told_which_line_it_breaks(
    adapter: type[ModelAdapter], check: str, says: str, check_plugin: Callable[..., dict[str, str]]
) -> None:
    kind = AdapterType(scheme="mine", description="d", factory=lambda target, options: adapter(), example="mine:x")
    name = f"adapter mine: {check}"
    broken = check_plugin(name, egocross_model_adapters=lambda: [kind])
    assert name in broken
    assert re.search(says, broken[name], re.DOTALL), broken[name]


def test_a_good_adapter_passes(check_plugin: Callable[..., dict[str, str]]) -> None:
    kind = AdapterType(scheme="mine", description="d", factory=lambda target, options: Good(), example="mine:x")
    assert check_plugin(egocross_model_adapters=lambda: [kind]) == {}


class Busy(Good):
    """A client of a server that is busy now and then, or always."""

    def __init__(self, *, failing: Callable[[int], bool]) -> None:
        self._failing = failing
        self._asked = itertools.count()

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for request in requests:
            failure = Failure(kind="http_503", message="overloaded", retryable=True)
            busy = self._failing(next(self._asked))
            yield Response(key=request.key, failure=failure) if busy else Response(key=request.key, text="A")


def busy(failing: Callable[[int], bool]) -> AdapterType:
    return AdapterType(
        scheme="mine", description="d", factory=lambda target, options: Busy(failing=failing), example="mine:x"
    )


def test_an_adapter_whose_server_is_busy_once_passes(check_plugin: Callable[..., dict[str, str]]) -> None:
    kind = busy(lambda number: number == 1)
    assert check_plugin(egocross_model_adapters=lambda: [kind]) == {}


def test_a_server_that_is_down_is_named_and_not_called_the_adapters_fault(
    check_plugin: Callable[..., dict[str, str]],
) -> None:
    kind = busy(lambda number: True)
    broken = check_plugin(egocross_model_adapters=lambda: [kind])
    assert {name.partition(": ")[2] for name in broken} == {"answers each request once", "is killed and goes on"}
    first, second = broken.values()
    assert first.startswith("mine:x doesn't answer, so it can't be checked: http_503: overloaded. Start what it asks")
    assert second.endswith("goes on: fails as 'adapter mine: answers each request once' does, for the same fault")


@pytest.mark.parametrize(
    ("words", "unsaid"),
    [
        (lambda question, block: f"{question.text} Reply with a letter.", "q1 is asked without ['a knife']"),
        (lambda question, block: f"Reply with a letter.\n{block}", "q1 is asked without ['What is picked up?']"),
    ],
)
def test_a_style_that_leaves_out_what_is_asked_is_told(
    words: Callable[[Question, str], str], unsaid: str, check_plugin: Callable[..., dict[str, str]]
) -> None:
    style = PromptStyle(name="mine", description="d", render=lambda q, block: StyledText(after=words(q, block)))
    (text,) = check_plugin(egocross_prompt_styles=lambda: [style]).values()
    assert unsaid in text
    assert re.search(r"style\.py:\d+\): \"Its words hold the question's text and that of every option", text)


class Stateful(Method):
    """Counts its asks."""

    def __init__(self) -> None:
        self.asked = 0

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        self.asked += not answers
        return Decision(label="AB"[self.asked % 2]) if answers else [Ask()]


class Endless(Method):
    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        return [Ask(name=f"again{len(answers)}")]


class Mute(Method):
    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        return Decision() if answers else [Ask()]


@pytest.mark.parametrize(
    ("method", "says"),
    [
        (Stateful, r"method\.py:\d+\): 'It keeps no state'"),
        (Endless, r"no decision on q1 after 100 rounds"),
        (Mute, r"a decision without label, text and reason"),
    ],
)
def test_a_broken_method_is_told_which_line_it_breaks(
    method: type[Method], says: str, check_plugin: Callable[..., dict[str, str]]
) -> None:
    kind = MethodType(name="mine", description="d", build=lambda argument, options: method())
    broken = check_plugin(egocross_methods=lambda: [kind])
    assert any(re.search(says, text) for text in broken.values()), broken


class Generous(Grader):
    name = "generous"

    def grade(self, question: Question, decision: Decision) -> Grade:
        return Grade(outcome="right", credit=2.0)


def test_a_broken_grader_is_told_which_line_it_breaks(check_plugin: Callable[..., dict[str, str]]) -> None:
    broken = check_plugin(egocross_graders=lambda: [Generous()])
    assert "a credit of 2.0" in broken["grader generous: gives credits between 0 and 1"]
    assert "grader.py:" in broken["grader generous: leaves answers unscored where the target isn't known"]


def test_one_fault_is_told_once_and_what_else_it_breaks_in_a_line(check_plugin: Callable[..., dict[str, str]]) -> None:
    def broken_engine(target: str, options: object) -> ModelAdapter:
        raise OSError("the engine is gone")

    kind = AdapterType(scheme="mine", description="d", factory=broken_engine, example="mine:x")
    first, *others = check_plugin(egocross_model_adapters=lambda: [kind]).values()
    assert "the engine is gone" in first
    assert len(others) > 5
    for text in others:
        assert text.endswith("' does, for the same fault")
        assert "\n" not in text


class Crashing(Good):
    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for _ in requests:
            raise ZeroDivisionError("no tokens")
        yield from ()


def test_a_crash_while_it_is_asked_is_one_fault_by_itself_and_in_a_run(
    check_plugin: Callable[..., dict[str, str]],
) -> None:
    kind = AdapterType(scheme="mine", description="d", factory=lambda target, options: Crashing(), example="mine:x")
    broken = check_plugin(egocross_model_adapters=lambda: [kind])
    (told,) = [text for text in broken.values() if "no tokens" in text]
    assert re.fullmatch(
        r"adapter mine: answers each request once: raised ZeroDivisionError\('no tokens'\) "
        r"\(contracts/test_conformance\.py, line \d+\)\. "
        r"The contract \(egocross_eval/contracts/model\.py:\d+\): 'yields exactly one response for each'",
        told,
    )
    assert broken["adapter mine: is killed and goes on"].endswith("' does, for the same fault")


def test_two_faults_of_one_line_are_both_told_and_its_words_once(check_plugin: Callable[..., dict[str, str]]) -> None:
    broken = check_plugin(egocross_graders=lambda: [Generous()])
    unread = broken["grader generous: tells unread answers apart"]
    unknown = broken["grader generous: leaves answers unscored where the target isn't known"]
    assert "The contract (egocross_eval/contracts/grader.py:" in unread
    assert re.search(
        r"right without a target\. That's the line of 'grader generous: tells unread answers apart' \(.*py:\d+\)",
        unknown,
    )


class Misnaming(Grader):
    name = "misnaming"

    def grade(self, question: Question, decision: Decision) -> Grade:
        return Grade(outcome="correct", credit=1.0)  # type: ignore[arg-type]


def test_an_outcome_that_is_none_is_named(check_plugin: Callable[..., dict[str, str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("egocross_eval.testing.graders._graded", lambda grader: questions()[:1])
        broken = check_plugin("credits", egocross_graders=lambda: [Misnaming()])
    (text,) = broken.values()
    assert re.search(r"q1: 'correct' is no outcome\. .*schema/sample\.py:\d+\): 'What became of a question", text)


def test_a_plugin_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="methodz"):
        checks("methodz")
