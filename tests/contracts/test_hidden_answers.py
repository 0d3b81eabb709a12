"""Nobody but a grader is told a right answer: not a style, a method, a model or an observer before it was given."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from egocross_eval import (
    AdapterType,
    Answer,
    Ask,
    Capabilities,
    Decision,
    Method,
    MethodType,
    ModelAdapter,
    PromptStyle,
    Question,
    Request,
    Response,
    StyledText,
    evaluate,
    hookimpl,
    read_egocross,
)
from egocross_eval.cli.main import cli
from egocross_eval.contracts.registry import registry
from egocross_eval.contracts.task import DataSource
from egocross_eval.settings import GenerationSettings


class Peeking:
    """A plugin whose every part keeps what it is given."""

    def __init__(self) -> None:
        self.by_style: list[Question] = []
        self.by_method: list[Question] = []
        self.by_model: list[Request] = []
        self.examples: list[tuple[Question, str]] = []


class PeekingMethod(Method):
    def __init__(self, seen: list[Question]) -> None:
        self._seen = seen

    def check(self, settings: GenerationSettings, questions: Sequence[Question]) -> None:
        self._seen.extend(questions)

    def most_requests(self, question: Question) -> int:
        self._seen.append(question)
        return 2

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        self._seen.append(question)
        # Another order of the options, as a method may show them.
        return Decision(label="A") if answers else [Ask(name="a"), Ask(name="b", options={"A": "x", "B": "y"})]


class PeekingAdapter(ModelAdapter):
    def __init__(self, seen: list[Request]) -> None:
        self._seen = seen

    def capabilities(self) -> Capabilities:
        return Capabilities(needs_content=False)

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for request in requests:
            self._seen.append(request)
            yield Response(key=request.key, text="A")


@pytest.fixture
def peeking() -> Iterator[Peeking]:
    """The plugin, with a style, a method and an adapter named `peeking`."""
    seen = Peeking()

    def words(question: Question, option_block: str) -> StyledText:
        seen.by_style.append(question)
        return StyledText(after=f"hint: {question.target} {question.references}\n{question.text}\n{option_block}")

    def reply(question: Question, answer: str) -> str:
        seen.examples.append((question, answer))
        return answer

    module = types.ModuleType("peeking")
    parts = {
        "egocross_prompt_styles": [PromptStyle(name="peeking", description="d", render=words, reply=reply)],
        "egocross_methods": [
            MethodType(name="peeking", description="d", build=lambda argument, options: PeekingMethod(seen.by_method))
        ],
        "egocross_model_adapters": [
            AdapterType(scheme="peeking", description="d", factory=lambda name, options: PeekingAdapter(seen.by_model))
        ],
    }
    for hook, found in parts.items():
        setattr(module, hook, hookimpl(lambda found=found: found))
    info = registry().add("peeking", lambda: module, distribution="peeking", version="1")
    registry().collect()
    assert info.error is None
    yield seen
    registry.cache_clear()


def test_no_part_of_a_run_is_told_the_answer_of_a_question(peeking: Peeking, demo: Path, tmp_path: Path) -> None:
    run = evaluate(
        "peeking:x",
        "xsports",
        split="demo",
        data=demo,
        style="peeking",
        method="peeking",
        shots="1:feedback",
        frames="none",
        output=tmp_path / "run",
    )
    assert run.results.complete
    assert all(sample.question.target and sample.question.references for sample in run.samples)
    for seen in (peeking.by_style, peeking.by_method):
        asked = [question for question in seen if question.key in {sample.key for sample in run.samples}]
        assert len(asked) >= len(run.samples)
        assert {(question.target, len(question.references)) for question in seen} == {(None, 0)}
    assert len(peeking.by_model) == 2 * len(run.samples)
    for request in peeking.by_model:
        assert "hint: None {}" in msgspec.json.encode(request.prompt).decode()


def test_a_style_words_the_answer_to_an_example_knowing_what_is_right(peeking: Peeking, demo: Path) -> None:
    first = next(q.key for q in read_egocross(DataSource(root=demo, split="demo")).questions)
    args = ["show", first, "--split", "demo", "--data", str(demo), "--style", "peeking", "--shots", "2:feedback"]
    done = CliRunner().invoke(cli, args, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "hint: None {}" in done.output
    assert len(peeking.examples) == 2
    for example, said in peeking.examples:
        assert example.key != first
        assert {example.target, said} <= example.options.keys()
