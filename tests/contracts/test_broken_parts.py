"""Parts that are broken in one place: the conformance suite finds each, by name, with the contract's line."""

from __future__ import annotations

import itertools
import math
import random
import re
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from egocross_eval import (
    AdapterType,
    Answer,
    Ask,
    Benchmark,
    Capabilities,
    CommandType,
    DataError,
    DataSource,
    Decision,
    ExportedRun,
    Exporter,
    Grade,
    Grader,
    Grouping,
    Method,
    MethodType,
    ModelAdapter,
    PromptStyle,
    Question,
    Questions,
    Request,
    Response,
    StyledText,
    Task,
    UsageError,
)

Checker = Callable[..., dict[str, str]]

PLACE = r"The contract \(egocross_eval/(contracts|schema)/\w+\.py:\d+\): "


class Twice(Method):
    """The example of `plugins new --kind method`; what it decides where both answers agree is set."""

    agreed: Callable[[Question, str], Decision]

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        backwards = dict(zip(question.options, reversed(question.options.values()), strict=True))
        if not answers:
            return [Ask(name="forwards"), Ask(name="backwards", options=backwards)]
        first, second = (answer.reading.label for answer in answers)
        if first is None or second is None or question.options[first] != backwards[second]:
            return Decision(reason="the two answers differ")
        return type(self).agreed(question, first)


def of(agreed: Callable[[Question, str], Decision]) -> MethodType:
    method = type("Mine", (Twice,), {"agreed": staticmethod(agreed)})
    return MethodType(name="mine", description="d", build=lambda argument, options: method())


def reached(question: Question, label: str) -> Decision:
    raise RuntimeError("reached")


def unlabelled(question: Question, label: str) -> Decision:
    return Decision(label=5)  # type: ignore[arg-type]


def by_target(question: Question, label: str) -> Decision:
    return Decision(label=question.target, reason="as it was told")


METHODS: dict[str, tuple[Callable[[Question, str], Decision], str, str]] = {
    "raises": (
        reached,
        "decides when the answer is the same option wherever it stands",
        rf"raised RuntimeError\('reached'\) \(contracts/test_broken_parts\.py, line \d+\)\. {PLACE}'What to ask next",
    ),
    "no option": (
        lambda question, label: Decision(label="Z"),
        "decides when the answer is the same option wherever it stands",
        rf"the decision 'Z' on q1 is no option of it\. {PLACE}'Label of the chosen option",
    ),
    "no text": (
        unlabelled,
        "decides when the answer is the same option wherever it stands",
        rf"a Decision in which 'label' is a whole number, not a text or null: .*{PLACE}",
    ),
    "random": (
        lambda question, label: Decision(label=random.choice(list(question.options))),
        "is a pure function",
        rf"q\d is decided .*, then .*{PLACE}'A method is a pure function",
    ),
    "cheating": (
        by_target,
        "doesn't look at the right answer",
        rf"q\d goes on otherwise where its target is \w\. {PLACE}'`question` carries no target'",
    ),
}


class OtherLabels(Twice):
    """Takes the label under which its second ask showed the option for the question's own."""

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        step = super().step(question, answers)
        if isinstance(step, Decision) and step.label is not None:
            return Decision(label=answers[1].reading.label)
        return step

    agreed = staticmethod(lambda question, label: Decision(label=label))


class Guessing(OtherLabels):
    """Decides for the first option where it has read nothing."""

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        if answers and not any(answer.reading.label for answer in answers):
            return Decision(label=next(iter(question.options)))
        return Twice.step(self, question, answers)


class HalfRead(OtherLabels):
    """Takes it that where one answer is read the other is too."""

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        labels = [answer.reading.label for answer in answers]
        if any(labels):
            question.options[labels[0]]  # type: ignore[index]
        return Twice.step(self, question, answers)


@pytest.mark.parametrize(
    ("method", "check", "says"),
    [
        (
            OtherLabels,
            "decides for the option that is always given",
            rf"q1 is decided D, where each answer was the option A\. {PLACE}\"The decision's label is the question's",
        ),
        (
            Guessing,
            "guesses nothing",
            rf"q1 is decided A, where no answer says anything\. {PLACE}'Where no answer says anything it has none",
        ),
        (HalfRead, "decides when the answer is an option now and nothing then", rf"raised KeyError\(None\) .*{PLACE}"),
    ],
)
def test_a_method_that_mistakes_labels_or_guesses_is_told_the_line(
    method: type[Method], check: str, says: str, check_plugin: Checker
) -> None:
    kind = MethodType(name="mine", description="d", build=lambda argument, options: method())
    broken = check_plugin(egocross_methods=lambda: [kind])
    assert re.search(says, broken[f"method mine: {check}"], re.DOTALL), broken


@pytest.mark.parametrize("fault", METHODS)
def test_a_method_that_is_wrong_where_the_model_agrees_with_itself_is_found(fault: str, check_plugin: Checker) -> None:
    agreed, check, says = METHODS[fault]
    broken = check_plugin(egocross_methods=lambda: [of(agreed)])
    assert re.search(says, broken[f"method mine: {check}"], re.DOTALL), broken


def test_the_method_that_the_kit_gives_passes(check_plugin: Checker) -> None:
    assert check_plugin(egocross_methods=lambda: [of(lambda question, label: Decision(label=label))]) == {}


class Literal(Method):
    """Takes it that each response has a text."""

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        if not answers:
            return [Ask()]
        said: str = answers[0].response.text  # type: ignore[assignment]
        label = said.strip()
        return Decision(label=label) if label in question.options else Decision(reason="no_answer")


def test_a_method_that_needs_a_text_is_told_that_scores_and_filters_give_none(check_plugin: Checker) -> None:
    kind = MethodType(name="mine", description="d", build=lambda argument, options: Literal())
    broken = check_plugin(egocross_methods=lambda: [kind])
    withheld = broken.pop("method mine: decides when the answer is withheld by a content filter")
    assert re.search(rf"raised AttributeError\(.*{PLACE}", withheld)
    assert broken["method mine: decides by scores too"].endswith("' does, for the same fault")


class Answering(ModelAdapter):
    def __init__(self, **answer: Any) -> None:
        self.answer = answer

    def capabilities(self) -> Capabilities:
        return Capabilities(needs_content=False)

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for request in requests:
            yield Response(key=request.key, **{"text": "A", **self.answer})


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"text": 5}, r"a Response in which 'text' is a whole number, not a text or null: Response\(key='q1', text=5"),
        ({"text": object()}, "a Response that no file can hold"),
        ({"seconds": math.nan}, r"the response to q1 has {'seconds': nan}"),
        ({"input_tokens": -4, "token_seconds": -0.5}, r"q1 has {'input_tokens': -4, 'token_seconds': -0\.5}"),
    ],
)
def test_a_response_that_is_none_is_the_adapters_fault(
    answer: dict[str, Any], says: str, check_plugin: Checker
) -> None:
    kind = AdapterType(
        scheme="mine", description="d", factory=lambda target, options: Answering(**answer), example="mine:x"
    )
    broken = check_plugin(egocross_model_adapters=lambda: [kind])
    assert re.search(rf"{says}.*{PLACE}", broken["adapter mine: answers each request once"])
    for name, text in broken.items():
        assert text.startswith("adapter mine: "), f"{name}: {text}"


class Lenient(Grader):
    """Whatever is said in words is right."""

    name = "lenient"

    def grade(self, question: Question, decision: Decision) -> Grade:
        if decision.text is None and decision.label is None:
            return Grade(outcome="not_parsed")
        if question.target is None:
            return Grade(outcome="unscored")
        right = decision.text is not None or decision.label in question.accepted()
        return Grade(outcome="right" if right else "wrong", credit=float(right))


def test_a_grader_that_counts_everything_as_right_is_found(check_plugin: Checker) -> None:
    (text,) = check_plugin(egocross_graders=lambda: [Lenient()]).values()
    assert re.search(rf"'qqqqq' counts as right, where q1 has 'B'\. {PLACE}'The grade of a decision", text)


class Careless(Grader):
    """Takes it that there is a target, and gives its credit as a text."""

    name = "careless"

    def grade(self, question: Question, decision: Decision) -> Grade:
        target: str = question.target  # type: ignore[assignment]
        right = (decision.label or decision.text or "") == target.strip()
        return Grade(outcome="right" if right else "not_parsed", credit="1.0" if right else 0.0)  # type: ignore[arg-type]


def test_what_a_grader_raises_and_gives_is_told_with_the_contracts_line(check_plugin: Checker) -> None:
    broken = check_plugin(egocross_graders=lambda: [Careless()])
    first = broken["grader careless: gives a right answer the full mark"]
    assert re.search(rf"a Grade in which 'credit' is a text, not a number: .*{PLACE}", first)


class Strict(Lenient):
    name = "strict"

    def grade(self, question: Question, decision: Decision) -> Grade:
        if decision.text is not None and question.target is not None and decision.text.strip() != question.target:
            return Grade(outcome="wrong", prediction=question.target.strip())
        if question.target is None:
            raise KeyError("target")
        return super().grade(question, decision)


def test_a_grader_that_fails_without_a_target_is_told_the_line(check_plugin: Checker) -> None:
    (text,) = check_plugin(egocross_graders=lambda: [Strict()]).values()
    assert re.search(rf"isn't known: raised KeyError\('target'\) .*{PLACE}'Where `question.target` is None", text)


def dropping(run: ExportedRun, path: Path, options: Any) -> str:
    path.write_text(str(run.samples[0].decision), encoding="utf-8")
    return "one line"


def dropping_in_time(run: ExportedRun, path: Path, options: Any) -> str:
    texts = [answer.response.text for sample in run.samples[1:] for answer in sample.answers]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("answers.txt", f"{time.time_ns()} {texts}")
    return "one line"


def silent(run: ExportedRun, path: Path, options: Any) -> Any:
    path.write_text(str(list(run.samples)), encoding="utf-8")


def straying(run: ExportedRun, path: Path, options: Any) -> str:
    (path.parents[1] / "above.txt").write_text("x")
    path.write_text(str(list(run.samples)), encoding="utf-8")
    return "one line"


def overwriting(run: ExportedRun, path: Path, options: Any) -> str:
    path.with_name("run.json").write_text("{}")
    path.write_text(str(list(run.samples)), encoding="utf-8")
    return "one line"


def appending(run: ExportedRun, path: Path, options: Any) -> str:
    with path.open("a", encoding="utf-8") as lines:
        lines.write(str([sample.decision for sample in run.samples]))
    return "one line"


def constant(run: ExportedRun, path: Path, options: Any) -> str:
    path.write_text("")
    return "one line"


def crashing(run: ExportedRun, path: Path, options: Any) -> str:
    texts: Any = [sample.answers[0].response.text for sample in run.samples]
    path.write_text("\n".join(texts), encoding="utf-8")
    return "one line"


def ascii_only(run: ExportedRun, path: Path, options: Any) -> str:
    texts = [str(answer.response.text) for sample in run.samples for answer in sample.answers]
    path.write_text("\n".join(texts), encoding="ascii")
    return "one line"


def half(run: ExportedRun, path: Path, options: Any) -> str:
    path.write_text(str(list(run.samples)), encoding="utf-8")
    if not run.results.complete:
        raise UsageError("the run isn't complete")
    return "one line"


def by_its_name(run: ExportedRun, path: Path, options: Any) -> str:
    path.with_name(run.name if run.name.startswith("-") else path.name).write_text("x")
    path.write_text(str(list(run.samples)), encoding="utf-8")
    return "one line"


def raising(run: ExportedRun, path: Path, options: Any) -> str:
    return str(run.samples[0].question.labels["no_such_label"])


@pytest.mark.parametrize(
    ("export", "check", "says"),
    [
        (
            dropping,
            "shows all answers or none",
            r"7 of 8 answers left no trace in what it writes: .*'Of the samples it shows",
        ),
        (dropping_in_time, "shows all answers or none", r"1 of 8 answers left no trace in what it writes"),
        (silent, "writes a run where it should", r"it says None, which is no line"),
        (
            appending,
            "replaces what it wrote before",
            r"out\.txt, written a second time, isn't what it is when written once\. .*'What is at the path already",
        ),
        (straying, "writes a run where it should", r"files beside out\.txt were written or changed: \['above\.txt'\]"),
        (constant, "shows all answers or none", r"neither answers nor figures left a trace in what it writes"),
        (overwriting, "writes a run where it should", r"files beside out\.txt .*: \['few/run\.json'\]"),
        (
            crashing,
            "takes or refuses a run with failures",
            r"raised (TypeError|IndexError).*'Questions of a run may have failed or not have been asked",
        ),
        (ascii_only, "takes hostile words", r"raised UnicodeEncodeError.*'Questions of a run may"),
        (
            half,
            "takes or refuses a run with failures",
            r"it refuses the run, and something is at out\.txt.*raises `UsageError`",
        ),
        (by_its_name, "takes hostile words", r"files beside out\.txt were written or changed: \['few/--of="),
        (raising, "writes a run where it should", r"raised KeyError\('no_such_label'\)"),
    ],
)
def test_an_exporter_that_writes_less_more_or_nothing_is_found(
    export: Callable[[ExportedRun, Path, Any], str], check: str, says: str, check_plugin: Checker
) -> None:
    form = Exporter(name="mine", description="d", export=export, default="out.txt")
    text = check_plugin(egocross_exporters=lambda: [form])[f"exporter mine: {check}"]
    assert re.search(says, text), text
    assert re.search(PLACE, text), text


def whole_splits(export: Callable[[ExportedRun, Path, Any], str]) -> Exporter:
    def checked(run: ExportedRun, path: Path, options: Any) -> str:
        size = run.record.benchmark.sizes.get(run.record.settings.split)
        if size != run.record.question_count:
            raise UsageError(f"{run.name} is over a part of the split")
        return export(run, path, options)

    return Exporter(name="mine", description="d", export=checked, default="out.txt", benchmarks=("egocross",))


def test_an_exporter_of_whole_splits_is_tried_on_one(check_plugin: Checker) -> None:
    sizes = []

    def figures(run: ExportedRun, path: Path, options: Any) -> str:
        sizes.append((len({sample.question.id for sample in run.samples}), run.results.counts["total"]))
        path.write_text(str(run.results.micro))
        return f"wrote {path}"

    assert check_plugin(egocross_exporters=lambda: [whole_splits(figures)]) == {}
    assert {(957, 957), (956, 957)} == set(sizes)


@pytest.mark.parametrize("export", [dropping, silent, straying, appending, constant, raising, crashing, half])
def test_a_broken_exporter_of_whole_splits_is_found(
    export: Callable[[ExportedRun, Path, Any], str], check_plugin: Checker
) -> None:
    broken = check_plugin(egocross_exporters=lambda: [whole_splits(export)])
    assert re.search(PLACE, next(iter(broken.values()))), broken


def test_an_exporter_of_figures_alone_passes(check_plugin: Checker) -> None:
    def figures(run: ExportedRun, path: Path, options: Any) -> str:
        path.write_text(str(run.results.micro))
        return f"wrote {path}"

    form = Exporter(name="mine", description="d", export=figures, default="out.txt")
    assert check_plugin(egocross_exporters=lambda: [form]) == {}


@pytest.mark.parametrize("begun", range(0, 60, 7))
def test_an_exporter_of_figures_and_a_time_in_whole_seconds_passes_whenever_the_second_changes(
    begun: int, check_plugin: Checker
) -> None:
    clock = itertools.count(begun)

    def figures(run: ExportedRun, path: Path, options: Any) -> str:
        path.write_text(f"{run.results.micro} at {next(clock) // 10} s")
        return f"wrote {path}"

    form = Exporter(name="mine", description="d", export=figures, default="out.txt")
    assert check_plugin(egocross_exporters=lambda: [form]) == {}


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (CommandType(name="mine", description="d", load=lambda: 7), r"it loads 7\..*'Imports and returns the command"),  # type: ignore[arg-type, return-value]
        (CommandType(name="mine", description=" ", load=lambda: click.Command("mine")), r"its description is ' '"),
    ],
    ids=["no command", "not described"],
)
def test_a_verb_that_is_none_or_says_nothing_is_found(command: CommandType, says: str, check_plugin: Checker) -> None:
    (text, *_) = check_plugin(egocross_commands=lambda: [command]).values()
    assert re.search(rf"{says}", text), text
    assert re.search(PLACE, text), text


def numbered() -> StyledText:
    return StyledText(after=7)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            lambda question, block: StyledText(after=f"\x1b[1m{question.text}\x00\n{block}"),
            r"q1 is asked with \['\\x00', ",
        ),
        (
            lambda question, block: StyledText(after=f"{question.text}{block}{question.options['A']}"),
            r"raised KeyError\('A'\)",
        ),
        (
            lambda question, block: numbered(),
            r"a StyledText in which 'after' is a whole number, not a text",
        ),
        (lambda question, block: f"{question.text}{block}", r"is no StyledText"),
    ],
)
def test_a_style_that_words_a_question_wrongly_is_told_the_line(
    words: Callable[[Question, str], StyledText], says: str, check_plugin: Checker
) -> None:
    style = PromptStyle(name="mine", description="d", render=words)
    (text,) = check_plugin(egocross_prompt_styles=lambda: [style]).values()
    assert re.search(rf"{says}.*{PLACE}", text, re.DOTALL), text


def task(**changes: Any) -> Task:
    """Six questions, of which the first alone is as it should be."""
    benchmark = Benchmark(
        name="mine",
        title="Mine",
        splits=("test",),
        groupings=(Grouping(name="kind", title="kind", labels=("kind",), groups={"what": "What"}),),
        macro="kind",
        cluster="clip",
    )

    def load(source: DataSource) -> Questions:
        if source.split != "test":
            raise DataError(f"no split {source.split}")
        plain: dict[str, Any] = {"text": "What?", "options": {"A": "x", "B": "y"}, "target": "A"}
        kinds = {"labels": {"kind": "what"}}
        return Questions(
            questions=tuple(
                Question(key=f"k{n}", cluster=f"c{n}", **{"id": n, **plain, **kinds, **(changes if n else {})})
                for n in range(6)
            )
        )

    return Task(name="mine", benchmark=benchmark, description="d", load=load)


@pytest.mark.parametrize(
    ("changes", "check", "says"),
    [
        (
            {"labels": {}},
            "has questions in every group",
            r"5 of 6 questions: no group of the macro average, 'kind', e\.g\. k1, k2",
        ),
        (
            {"id": 7},
            "names each question once",
            r"ids that several questions have: \[7\]",
        ),
        (
            {"target": 1},
            "loads the same questions twice",
            r"a Question in which 'target' is a whole number, not a text",
        ),
    ],
)
def test_a_task_with_questions_that_are_none_is_told_the_line(
    changes: dict[str, Any], check: str, says: str, check_plugin: Checker
) -> None:
    broken = check_plugin(egocross_tasks=lambda: [task(**changes)])
    assert re.search(rf"{says}.*{PLACE}", broken[f"task mine: {check}"])
    assert [text for text in broken.values() if not text.startswith("task mine: ")] == []


def test_a_grader_that_nobody_brings_is_the_tasks_fault(check_plugin: Checker) -> None:
    plain = task()
    other = msgspec.structs.replace(plain, benchmark=msgspec.structs.replace(plain.benchmark, grader="leter"))
    (text,) = check_plugin(egocross_tasks=lambda: [other]).values()
    assert re.search(rf"no grader 'leter' \(did you mean 'letter'\?\)\. {PLACE}'Name of the grader", text), text
