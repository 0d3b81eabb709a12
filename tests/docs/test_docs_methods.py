"""docs/methods.md: its plugin does what its title says, its strategy plans, its tables are complete."""

from __future__ import annotations

import itertools
import re
import types
from collections.abc import Iterator
from pathlib import Path

import documented
import pytest

from egocross_eval import EGOCROSS, Capabilities, Decision, ModelAdapter, Request, Response, evaluate
from egocross_eval.contracts.registry import Registry, registry
from egocross_eval.runs.options import options_from
from egocross_eval.runs.plan import plan_run
from egocross_eval.runs.strategy import named_strategies

PAGE = "docs/methods.md"


def plugin() -> types.ModuleType:
    """The worked plugin, with its test."""
    snippet, its_test = documented.fenced(PAGE, "python")
    assert len(snippet.splitlines()) <= 60
    module = types.ModuleType("agree")
    for code in (snippet, its_test):
        exec(compile(code, PAGE, "exec", dont_inherit=True), module.__dict__)
    return module


@pytest.fixture
def agree() -> Iterator[Registry]:
    module = plugin()
    known = registry()
    info = known.add("agree", lambda: module, distribution="d", version="1")
    known.collect()
    assert info.error is None, info.error
    yield known
    known._manager.unregister(name="agree")
    known.plugins = [plugin for plugin in known.plugins if plugin.name != "agree"]
    known.collect()


class Wavering(ModelAdapter):
    """Answers by the option's text: one wish for the first look, another for the second, a third between two."""

    def __init__(self, first: int, second: int, between: int) -> None:
        self._wishes = {"first": first, "second": second}
        self._between = between

    def capabilities(self) -> Capabilities:
        return Capabilities(needs_content=False)

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for request in requests:
            wish = self._wishes.get(request.key.partition("#")[2], self._between)
            texts = sorted(request.options.values())
            label = next(k for k, text in request.options.items() if text == texts[min(wish, len(texts) - 1)])
            yield Response(key=request.key, text=label)


@pytest.mark.usefixtures("agree")
@pytest.mark.parametrize(("first", "second", "between"), list(itertools.product((0, 3), (0, 3), (0, 1))))
def test_the_worked_plugin_keeps_what_agrees_and_compares_the_rest(
    first: int, second: int, between: int, demo: Path, tmp_path: Path
) -> None:
    model = Wavering(first, second, between)
    run = evaluate(
        model, "animal", data=demo, split="demo", method="agree:again=Again.", output=tmp_path / "run", cache=False
    )
    for sample in run.samples:
        texts = sorted(sample.question.options.values())
        two = sorted({texts[first], texts[second]})
        assert sample.question.options[sample.decision.label or ""] == two[min(between, len(two) - 1)]
        assert len(sample.answers) == (2 if first == second else 4)


def test_the_test_of_the_worked_plugin_passes_and_finds_a_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    module = plugin()
    step = module.Agree.step
    module.test_what_is_said_twice_counts()
    monkeypatch.setattr(module.Agree, "step", lambda *given: Decision(label="B") if given[2] else step(*given))
    with pytest.raises(AssertionError):
        module.test_what_is_said_twice_counts()


def test_the_strategy_of_the_page_plans_every_question(demo: Path, tmp_path: Path) -> None:
    (text,) = documented.fenced(PAGE, "yaml")
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    plan = plan_run(options_from(data=demo, split="demo", strategy=str(path)), registry())
    assert not [note for note in plan.warnings if "strategy" in note]
    assert plan.approaches.models() == ["baseline:longest"]


def test_the_tables_name_every_method_and_strategy() -> None:
    first_cells = set(re.findall(r"^\| `([a-z][a-z-]*)(?::N)?` \|", documented.text_of(PAGE), re.MULTILINE))
    own = set(registry().methods)
    assert own | set(named_strategies(EGOCROSS)) == first_cells


def test_every_command_of_the_page_is_understood() -> None:
    found = list(documented.commands(PAGE))
    assert len(found) > 6
    for arguments in found:
        documented.parse(arguments)
