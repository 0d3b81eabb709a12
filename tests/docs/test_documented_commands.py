"""Every command, file and option that the pages show is run as it stands there, with data, models and runs put in the
places that are the reader's."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import documented
import pytest
from calling import call
from fake_server import FakeServer

from egocross_eval.cli.main import VERBS

PAGES = [
    "README.md",
    "docs/prompts.md",
    "docs/run-folder.md",
    "docs/footguns.md",
    "docs/data.md",
    "docs/lmms-eval.md",
    "docs/lmms-eval-models.md",
    "docs/imports.md",
    "docs/inspect.md",
    "docs/exports.md",
    "docs/trackers.md",
    "docs/scripts.md",
]
NEEDS_MORE = re.compile(
    r"hf:|lmms:|vllm:|vllm-server:|fetch|^demo$|^train|^experiment|^site|^lmms-eval run|^import LOG"
)
"""Commands that need an engine, the network or minutes: they are parsed by the real command and not run."""

COMMANDS = [(page, " ".join(arguments), arguments) for page in PAGES for arguments in documented.commands(page)]


@pytest.fixture(scope="module")
def server() -> Iterator[FakeServer]:
    with FakeServer(answers="B", models=("gpt-4.1", "my-model", "m")) as running:
        yield running


@pytest.fixture
def place(demo: Path, server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_run: Path) -> Path:
    """A folder as a reader may stand in: data, runs and files under the names that the pages use."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EGOCROSS_DATA", str(demo))
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    for name in ("DATA", "ROOT"):
        (tmp_path / name).symlink_to(demo)
    (tmp_path / "runs").mkdir()
    for name in ("RUN", "A", "B", "RUNS", "LOG", "runs/longest"):
        (tmp_path / name).symlink_to(made_run)
    for name, content in files().items():
        (tmp_path / name).write_text(content)
    return tmp_path


@pytest.fixture(scope="module")
def made_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "run"
    call("--model", "baseline:longest", "--split", "demo", "--limit", "8", "--output", path)
    return path


def files() -> dict[str, str]:
    """The files that docs/prompts.md shows."""
    shown = documented.indented("docs/prompts.md")
    names = {"{{ question }}": "template.j2", "scheme:": "model.yaml", "by:": "experts.yaml", "model:": "settings.yaml"}
    return {name: block for sign, name in names.items() for block in shown if sign in block}


def put_in(text: str, server: FakeServer) -> str:
    """The text with a server that is there, and baselines in place of checkpoints."""
    text = text.replace("http://127.0.0.1:8000/v1", server.base_url)
    return re.sub(r"hf:\./\w+", "baseline:longest", text)


@pytest.mark.parametrize(("page", "line", "arguments"), COMMANDS, ids=[f"{page}: {line}" for page, line, _ in COMMANDS])
def test_a_command_runs_as_it_is_printed(
    page: str, line: str, arguments: list[str], place: Path, server: FakeServer
) -> None:
    arguments = ["5" if argument == "ID" else argument for argument in arguments]
    verb = documented.parse(arguments)
    if not NEEDS_MORE.search(line) and not NEEDS_MORE.search(verb) and verb != "submit":
        assert call(*(put_in(argument, server) for argument in arguments)) == 0


def test_the_pages_show_commands() -> None:
    assert {page for page, _, _ in COMMANDS} == set(PAGES) - {"docs/footguns.md", "docs/trackers.md"}
    assert len(COMMANDS) >= 10


@pytest.mark.parametrize("page", PAGES)
def test_every_option_that_is_named_is_one(page: str) -> None:
    assert documented.options(page) - documented.known_options() == set()


def rows() -> list[str]:
    """The verbs of the index of the command line, as typed."""
    table = documented.text_of("docs/reference/command-line/index.md").partition("| verb |")[2].partition("\n\n")[0]
    return [typed for line in table.splitlines()[2:] for typed in re.findall(r"`([^`]+)`", line.split("|")[1])]


@pytest.mark.parametrize("typed", rows())
def test_a_verb_of_the_table_is_one(typed: str, place: Path) -> None:
    words = typed.split()
    needed = {
        "run": ["--model", "baseline:chance"],
        "data fetch": ["testbed", "--output", "x"],
        "data demo": ["x"],
        "train": ["x"],
    }
    asks_for_files = (
        "train",
        "experiment",
        "site RUNS",
        "sweep",
        "merge SHARDS",
        "combine RUNS",
        "tune FILE",
        "watch DIR",
    )
    documented.parse([*words, *needed.get(typed, [])] if typed not in asks_for_files else ["tasks"])
    assert words[0] in VERBS


def test_the_table_names_every_verb() -> None:
    assert {typed.split()[0] for typed in rows()} == set(VERBS)


def test_the_extras_that_are_installed_exist() -> None:
    extras = tomllib.loads((documented.ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    pages = [*(documented.ROOT / "docs").glob("*.md"), documented.ROOT / "README.md"]
    named = {name for page in pages for name in re.findall(r"'\.\[([a-z,]+)\]'", page.read_text())}
    assert named
    assert {extra for name in named for extra in name.split(",")} <= set(extras)
    assert not [page.name for page in pages if "egocross-eval[" in page.read_text()]


def test_the_template_asks(place: Path) -> None:
    assert call("--model", "openai:m", "--style", "template.j2", "--limit", "3", "--output", "run") == 0
    sample = json.loads((place / "run" / "samples.jsonl").read_text().splitlines()[0])
    assert "You watch first-person video." in str(sample["answers"][0]["sent"]["messages"])


def test_every_variable_of_templates_is_one(place: Path) -> None:
    table = documented.text_of("docs/prompts.md").partition("| variable |")[2].partition("\n\n")[0]
    names = [name for line in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", line.split("|")[1])]
    assert "times" in names
    rest = "".join(
        f"{{{{ {name} }}}}\n" for name in names if name not in ("frames", "question", "option_block", "system")
    )
    (place / "all.j2").write_text("{{ frames }}{{ question }}\n{{ option_block }}\n" + rest)
    assert call("--model", "openai:m", "--style", "all.j2", "--limit", "2", "--output", "run") == 0


@pytest.mark.parametrize("name", ["model.yaml", "routed:experts.yaml", "routed:./experts.yaml"])
def test_a_model_in_a_file_runs(name: str, place: Path, server: FakeServer) -> None:
    for path in place.glob("*.yaml"):
        path.write_text(put_in(path.read_text(), server))
    assert call("--model", name, "--limit", "8", "--output", "run") == 0


def test_a_configuration_file_runs(place: Path, server: FakeServer) -> None:
    (place / "settings.yaml").write_text(put_in((place / "settings.yaml").read_text(), server))
    assert call("--config", "settings.yaml", "--output", "run") == 0
    assert (place / "run" / "leaderboard.md").is_file()


def test_the_code_of_readme_runs(place: Path, server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = documented.fenced("README.md", "python")
    names: dict[str, object] = {}
    exec(put_in(block, server).replace("/path/to/data", "DATA"), names)
    assert names["wrong"]
    assert 0 < float(capsys.readouterr().out.split()[0]) < 1


def keys(value: object, at: str = "") -> set[str]:
    """The fields of JSON as paths."""
    if isinstance(value, dict):
        return {f"{at}.{key}" for key in value} | {
            path for key, item in value.items() for path in keys(item, f"{at}.{key}")
        }
    if isinstance(value, list):
        return {path for item in value for path in keys(item, at)}
    return set()


def test_the_run_folder_is_as_its_page_says(place: Path) -> None:
    page = "docs/run-folder.md"
    command = next(documented.commands(page))
    folder = place / "new"
    assert call(*command[:-1], folder, "--frames", "uniform:2") == 0
    listed = {name for line in documented.text_of(page).splitlines() for name in re.findall(r"^\| `([^`]+)` \|", line)}
    assert {path.name for path in folder.iterdir()} == listed - {"answers.jsonl", "submission.zip"}
    for name, block in zip(("run.json", "samples.jsonl"), documented.fenced(page, "json"), strict=True):
        shown = json.loads(block)
        lines = (folder / name).read_text()
        real = json.loads(lines if name == "run.json" else lines.splitlines()[0])
        assert list(shown) == list(real), name
        assert keys(shown) <= keys(real), name
    (code,) = documented.fenced(page, "python")
    exec(code, {})
