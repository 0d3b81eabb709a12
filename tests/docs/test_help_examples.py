"""Every command of every page and of every verb's help is one that the real command takes, and the examples of help
that need no engine, network or minutes are run as they stand there."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import documented
import pytest
from calling import call
from fake_server import FakeServer

from egocross_eval.cli.main import cli
from egocross_eval.settings import joined_paths

PAGES = sorted(
    str(path.relative_to(documented.ROOT))
    for path in [documented.ROOT / "README.md", *(documented.ROOT / "docs").rglob("*.md")]
)
NEEDS_MORE = re.compile(
    r"hf:|vllm:|lmms-eval|qwen|sweep|watch|merge|status|^demo|build-tiny|fetch|judge|import logs|^site|^train|"
    r"^experiment|^submit|^export runs|cache clear|verify board|387"
)
"""Examples that need an engine, the network, minutes, or what other verbs leave: they are parsed and not run."""


def typed(text: str) -> list[str]:
    """The arguments of a command line, without what the shell does with its output."""
    return shlex.split(re.sub(r"\s*(>|\||2>).*", "", text), comments=True)[1:]


def of_pages() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        blocks = [*documented.indented(page), *documented.fenced(page, "bash"), *documented.fenced(page, "console")]
        for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
            if (line := line.removeprefix("$ ")).startswith("egocross-eval "):
                yield page, line


def of_help(command: click.Command = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    for line in (command.help or "").replace("\\\n", " ").splitlines():
        if line.strip().startswith("egocross-eval "):
            yield " ".join((*path, "--help")), line.strip()
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            if (inner := command.get_command(context, name)) is not None:
                yield from of_help(inner, (*path, name))


@pytest.mark.parametrize(("where", "line"), dict.fromkeys([*of_pages(), *of_help()]))
def test_a_command_that_is_shown_is_one(where: str, line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever files it names are the reader's; a configuration file, which is read at once, is an empty one."""
    (tmp_path / "settings.yaml").write_text("# nothing\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(click.Path, "convert", lambda self, value, parameter, context: Path(value))
    documented.parse([argument for argument in typed(line) if argument not in ("--help", "-h")] or ["tasks"])


@pytest.fixture(scope="module")
def server() -> Iterator[FakeServer]:
    with FakeServer(answers="B", models=("gpt-4.1",)) as running:
        yield running


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, demo: Path) -> Path:
    """A folder as a reader may stand in, with data, runs and files under the names that help uses."""
    place = tmp_path_factory.mktemp("place")
    for name, model in (("one", "longest"), ("two", "chance")):
        call("--model", f"baseline:{model}", "--data", demo, "--tasks", "surgery", "--output", place / name)
    (place / "runs").mkdir()
    names = {"my-run": "one", "my-model": "one", "baseline": "one", "base": "one", "finetuned": "two", "tuned": "two"}
    for name, run in names.items():
        (place / "runs" / name).symlink_to(place / run)
    (place / "ROOT").symlink_to(demo)
    (place / "DATA").symlink_to(demo)
    (place / "settings.yaml").write_text("model: baseline:chance\nsplit: demo\n")
    (place / "outputs.jsonl").write_text(json.dumps({"output": "The answer is B.", "letters": "ABCD"}) + "\n")
    (place / "predictions.json").write_text((place / "one" / "predictions.json").read_text())
    answers = demo / "egocross_testbed" / "egocross_testbed_answers.json"
    (place / "egocross_testbed_answers.json").symlink_to(answers)
    marks = "<!-- egocross-eval:leaderboard:start -->\n<!-- egocross-eval:leaderboard:end -->\n"
    (place / "README.md").write_text(marks)
    return place


RUN = dict.fromkeys(line for _, line in of_help() if not NEEDS_MORE.search(" ".join(typed(line))))


@pytest.mark.slow
@pytest.mark.parametrize("line", RUN)
def test_an_example_of_help_runs(
    line: str, made: Path, demo: Path, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made)
    monkeypatch.setenv("EGOCROSS_DATA", str(joined_paths([demo])))
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    arguments: list[str | Path] = []
    for word in typed(line):
        arguments += sorted((made / "runs").iterdir()) if word == "runs/*" else [word]
    try:
        documented.parse([str(argument) for argument in arguments])
    except click.BadParameter as error:
        if "does not exist" in error.message:
            pytest.skip(f"needs what isn't in the place: {error.message}")
        raise
    assert call(*arguments) in (0, 1)
