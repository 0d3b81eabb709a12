"""What a plugin's code raises names the part, the plugin and the cause in one line, and other models go on."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import pytest
from calling import call

from egocross_eval import (
    EGOCROSS,
    AdapterType,
    Answer,
    Ask,
    Benchmark,
    Capabilities,
    CommandType,
    DataSource,
    Decision,
    Exporter,
    Grade,
    Grader,
    Importer,
    Method,
    MethodType,
    ModelAdapter,
    PromptStyle,
    Question,
    Questions,
    Request,
    Response,
    Task,
    TrackerType,
    evaluate,
    hookimpl,
)
from egocross_eval.contracts.faults import TRACEBACK
from egocross_eval.contracts.registry import registry
from egocross_eval.settings import GenerationSettings, JudgeSettings


def breaks(*given: object, **more: object) -> Any:
    """As the code of a part that nobody has tried."""
    raise KeyError("engine")


def exits(*given: object) -> Any:
    """As a script that was made a part."""
    raise SystemExit(3)


class Answers(ModelAdapter):
    def capabilities(self) -> Capabilities:
        return Capabilities(needs_content=False)

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for request in requests:
            yield Response(key=request.key, text="A")


class Once(Method):
    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        return Decision(label="A") if answers else [Ask()]


class Marks(Grader):
    name = "marks"

    def grade(self, question: Question, decision: Decision) -> Grade:
        return Grade(outcome="right", credit=1.0)


class Unsettled(Marks):
    name = "unsettled"

    def configured(self, settings: JudgeSettings) -> Grader:
        return breaks()  # type: ignore[no-any-return]


class Unchecked(Once):
    def check(self, settings: GenerationSettings, questions: Sequence[Question]) -> None:
        breaks()


class Uncounted(Once):
    def most_requests(self, question: Question) -> int | None:
        return breaks()  # type: ignore[no-any-return]


def giving(entries: Iterable[object]) -> Callable[[], Iterable[object]]:
    return lambda: entries


def adapter_that_breaks(where: str) -> Callable[[str, Any], ModelAdapter]:
    return lambda target, options: type("Broken", (Answers,), {where: breaks})()


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Installs a plugin of the hooks that are given."""

    def install(**hooks: Iterable[object]) -> None:
        module = types.ModuleType("mine")
        for name, entries in hooks.items():
            setattr(module, name, hookimpl(giving(entries), specname=name))
        info = registry().add("mine", lambda: module, distribution="egocross-mine", version="1.2")
        registry().collect()
        assert info.error is None
        monkeypatch.setattr("egocross_eval.cli.main._plugin_verbs", lambda: registry().commands)

    yield install
    registry.cache_clear()


def model(factory: Callable[[str, Any], ModelAdapter]) -> AdapterType:
    return AdapterType(scheme="mine", description="", factory=factory)


@pytest.mark.parametrize(
    "factory",
    [breaks, exits, lambda target, options: None]
    + [adapter_that_breaks(where) for where in ("capabilities", "check_labels", "fingerprint", "details")],
    ids=["raises", "exits", "gives nothing", "capabilities", "check_labels", "fingerprint", "details"],
)
def test_a_model_that_cannot_be_made_is_named_with_its_plugin_and_the_others_go_on(
    factory: Callable[[str, Any], ModelAdapter],
    plugin: Callable[..., None],
    demo: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plugin(egocross_model_adapters=[model(factory)])
    models = ["--model", "baseline:chance", "--model", "mine:words", "--model", "baseline:longest"]
    assert call(*models, "--data", demo, "--limit", "3", "--output", tmp_path) == 1
    said = capsys.readouterr()
    (fault,) = [line for line in said.err.splitlines() if line.startswith("Error: ")]
    assert fault.startswith(
        "Error: mine:words: the model adapter 'mine' (plugin 'mine' of egocross-mine 1.2) failed at"
    )
    assert f"{TRACEBACK}=1 shows the traceback" in fault
    assert "Traceback" not in said.err
    assert "2 of 3 models" in said.out
    assert {path.name for path in tmp_path.iterdir()} == {"baseline-chance", "baseline-longest", "leaderboard.md"}


def test_the_cause_is_one_line_with_its_place_and_the_traceback_comes_on_request(
    plugin: Callable[..., None], demo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(egocross_model_adapters=[model(breaks)])
    words = ["--model", "mine:words", "--data", str(demo), "--limit", "3"]
    assert call(*words) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert "failed at mine:words: KeyError: 'engine' (contracts/test_plugin_faults.py, line " in last
    monkeypatch.setenv(TRACEBACK, "1")
    assert call(*words) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_the_place_is_that_in_the_plugin_and_not_in_what_it_calls(
    plugin: Callable[..., None], demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin(egocross_model_adapters=[model(lambda target, options: json.loads("{"))])
    assert call("--model", "mine:words", "--data", demo, "--limit", "3") == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert "JSONDecodeError: " in said
    assert "(contracts/test_plugin_faults.py, line " in said


def test_a_model_that_is_no_good_at_its_end_leaves_the_run_as_it_is(
    plugin: Callable[..., None], demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin(egocross_model_adapters=[model(adapter_that_breaks("close"))])
    assert call("--model", "mine:words", "--data", demo, "--limit", "3", "--output", tmp_path / "run") == 0
    assert "the model adapter 'mine' (plugin 'mine' of egocross-mine 1.2) failed" in capsys.readouterr().err


def test_programs_are_told_which_model_broke_and_of_no_folder_that_is_not_there(
    plugin: Callable[..., None], demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin(egocross_model_adapters=[model(breaks)])
    words: list[str | Path] = [
        "--model",
        "mine:words",
        "--model",
        "baseline:chance",
        "--data",
        demo,
        "--limit",
        "3",
        "--output",
        tmp_path,
    ]
    assert call(*words, "--events") == 1
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (failed,) = [line for line in said if line["event"] == "failed"]
    assert (failed["run"], failed["model"], failed["exit_code"]) == (None, "mine:words", 1)
    assert call(*words, "--format", "json") == 1
    (broken,) = json.loads(capsys.readouterr().out)["broken"]
    assert (broken["run"], broken["model"]) == (None, "mine:words")


RUN = ["--model", "baseline:chance", "--limit", "3"]
HOOKS: dict[str, tuple[str, object, list[str], int]] = {
    "task": (
        "tasks",
        Task(name="mine", benchmark=EGOCROSS, description="", load=breaks),
        [*RUN, "--tasks", "mine"],
        2,
    ),
    "method": ("methods", MethodType(name="mine", description="", build=breaks), [*RUN, "--method", "mine"], 1),
    "method, checking": (
        "methods",
        MethodType(name="mine", description="", build=lambda argument, options: Unchecked()),
        [*RUN, "--method", "mine"],
        1,
    ),
    "method, counting": (
        "methods",
        MethodType(name="mine", description="", build=lambda argument, options: Uncounted()),
        [*RUN, "--method", "mine", "--dry-run"],
        1,
    ),
    "prompt style": (
        "prompt_styles",
        PromptStyle(name="mine", description="", render=breaks),
        [*RUN, "--style", "mine", "--dry-run"],
        2,
    ),
    "tracker": (
        "trackers",
        TrackerType(name="mine", description="", build=breaks),
        [*RUN, "--track", "mine:here"],
        1,
    ),
    "grader": ("graders", Unsettled(), [*RUN, "--tasks", "open-animal", "--judge", "unsettled"], 1),
    "verb": ("commands", CommandType(name="mine", description="", load=breaks), ["mine"], 1),
    "verb, none": ("commands", CommandType(name="mine", description="", load=lambda: None), ["mine"], 1),  # type: ignore[arg-type, return-value]
}


@pytest.mark.parametrize("hook", HOOKS)
def test_a_part_that_breaks_at_the_start_is_named_with_its_plugin(
    hook: str, plugin: Callable[..., None], demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part, entry, words, code = HOOKS[hook]
    plugin(**{f"egocross_{part}": [entry]})
    given = ["--data", str(demo), "--output", str(tmp_path / "run")] if words[0] == "--model" else []
    assert call(*words, *given) == code
    said = capsys.readouterr().err
    assert f"Error: the {hook.partition(',')[0]} '" in said
    assert "(plugin 'mine' of egocross-mine 1.2) failed" in said
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()


def test_an_exporter_and_an_importer_that_break_are_named_with_their_plugin(
    plugin: Callable[..., None], demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin(
        egocross_exporters=[Exporter(name="mine", description="", export=breaks, default="mine.txt")],
        egocross_importers=[Importer(name="mine", description="", recognises=breaks, read=breaks)],
    )
    run = evaluate("baseline:chance", data=demo, limit=3, output=tmp_path / "run").path
    log = tmp_path / "log.json"
    log.write_text("[]")
    assert call("export", run, "--to", "mine") == 1
    assert "the exporter 'mine' (plugin 'mine' of egocross-mine 1.2) failed on" in capsys.readouterr().err
    assert call("import", log, "--from", "mine", "--output", tmp_path / "new") == 2
    assert "the importer 'mine' (plugin 'mine' of egocross-mine 1.2) failed on" in capsys.readouterr().err
    assert call("import", log, "--output", tmp_path / "new") == 2
    said = capsys.readouterr().err
    assert "warning: the importer 'mine' (plugin 'mine' of egocross-mine 1.2) failed to recognise" in said
    assert "log.json isn't recognised: name its tool by --from" in said


def test_published_rows_that_break_are_left_out_with_a_warning(
    plugin: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Benchmark(name="other", title="Other", splits=("one",), published=breaks)
    own = Question(id=1, key="q1", text="Which?", options={"A": "this", "B": "that"}, target="A")
    task = Task(name="mine", benchmark=other, description="", load=lambda source: Questions(questions=(own,)))
    plugin(egocross_tasks=[task])
    assert call("--model", "baseline:longest", "--tasks", "mine", "--output", tmp_path / "run") == 0
    assert call("leaderboard", tmp_path / "run") == 0
    said = capsys.readouterr()
    assert "the task 'mine' (plugin 'mine' of egocross-mine 1.2) failed to give the published rows of Other" in said.err
    assert "baseline:longest" in said.out


def test_an_observer_that_breaks_is_warned_of_and_stops_nothing(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = types.ModuleType("watches")

    @hookimpl
    def egocross_event(event: object) -> None:
        breaks()

    module.egocross_event = egocross_event  # type: ignore[attr-defined]
    registry().add("watches", lambda: module, distribution="egocross-watches", version="1")
    registry().collect()
    try:
        assert call(*RUN, "--data", demo, "--output", tmp_path / "run") == 0
    finally:
        registry.cache_clear()
    assert capsys.readouterr().err.count("the plugin 'watches' failed on the event") == 1


def test_questions_of_another_kind_than_a_task_gives_are_named(
    plugin: Callable[..., None], demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def load(source: DataSource) -> Questions:
        return None  # type: ignore[return-value]

    plugin(egocross_tasks=[Task(name="mine", benchmark=EGOCROSS, description="", load=load)])
    assert call(*RUN, "--tasks", "mine", "--data", demo) == 2
    assert "the task 'mine' (plugin 'mine' of egocross-mine 1.2) failed" in capsys.readouterr().err


def test_a_verb_runs_as_ever(plugin: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def hello() -> None:
        click.echo("hello")

    plugin(egocross_commands=[CommandType(name="mine", description="", load=lambda: hello)])
    assert call("mine") == 0
    assert capsys.readouterr().out == "hello\n"
