"""A real third-party plugin package: built, installed beside this one, and used."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from calling import call

from egocross_eval.contracts.registry import registry

PACKAGES = Path(__file__).resolve().parents[1] / "third_party"
SOURCE = PACKAGES / "egocross_echo"


def build_wheel(source: Path, target: Path) -> Path:
    """Builds the wheel of a package; returns its path."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = target.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the plugins' wheels are installed in."""
    site = tmp_path_factory.mktemp("site")
    for source in sorted(PACKAGES.iterdir()):
        with zipfile.ZipFile(build_wheel(source, tmp_path_factory.mktemp("dist"))) as wheel:
            wheel.extractall(site)
    return site


def run(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line as a process of its own, with the installed plugins on the path."""
    inherited = os.environ.get("PYTHONPATH", "")
    environment = {**os.environ, "COLUMNS": "120", "PYTHONPATH": os.pathsep.join(filter(None, [str(site), inherited]))}
    command = [sys.executable, "-m", "egocross_eval", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def on_path(installed: Path) -> Iterator[Path]:
    """The installed plugins are on the path of this process, and in its registry."""
    before = set(sys.modules)
    sys.path.insert(0, str(installed))
    registry.cache_clear()
    yield installed
    sys.path.remove(str(installed))
    registry.cache_clear()
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(installed)):
            del sys.modules[name]


class Called(NamedTuple):
    """What a command line in this process did."""

    code: int
    out: str
    err: str


@pytest.fixture
def called(on_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Called]:
    """Calls the command line in this process, with the installed plugins."""
    monkeypatch.setenv("COLUMNS", "120")

    def called(*arguments: str | Path) -> Called:
        capsys.readouterr()
        return Called(call(*arguments), *capsys.readouterr())

    return called


def test_a_plugin_adds_a_verb_to_the_command_line(tmp_path: Path) -> None:
    info = tmp_path / "egocross_hello-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: egocross-hello\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[egocross_eval]\nhello = egocross_hello\n")
    (tmp_path / "egocross_hello.py").write_text(
        "import click\nfrom egocross_eval import CommandType, hookimpl\n\n"
        "@click.command()\n@click.argument('name')\ndef hello(name):\n    click.echo(f'hello {name}')\n\n"
        "@hookimpl\ndef egocross_commands():\n"
        "    names = ('hello', 'score')\n"
        "    return [CommandType(name=name, description='Says hello.', load=lambda: hello) for name in names]\n"
    )
    told = run(tmp_path, "--help")
    assert told.stdout.count("Says hello.") == 1
    assert told.stderr == "warning: a plugin's verb 'score' isn't added: egocross-eval has one of that name\n"
    assert run(tmp_path, "hello", "world").stdout == "hello world\n"
    assert "did you mean 'hello'" in run(tmp_path, "hell").stderr


def test_a_verb_of_a_plugin_replies_to_programs_as_ours_do(called: Callable[..., Called]) -> None:
    words = called("gauges")
    assert (words.code, words.out) == (0, "dial   8\nbar    6\n")
    reply = called("gauges", "--split", "field", "--format", "json")
    assert reply.code == 0
    assert json.loads(reply.out) == {"split": "field", "questions": {"dial": 8, "bar": 6}}
    fault = called("gauges", "--split", "fields", "--format", "json")
    assert fault.code == 2
    assert json.loads(fault.out)["exit_code"] == 2
    assert "field" in json.loads(fault.out)["error"]


def test_the_plugin_is_listed_with_what_it_registers(installed: Path) -> None:
    plugins = {p["name"]: p for p in json.loads(run(installed, "plugins", "--format", "json").stdout)}
    assert plugins["echo"]["distribution"] == "egocross-echo"
    assert plugins["echo"]["version"] == "0.3.0"
    assert plugins["echo"]["model_adapters"] == ["echo"]
    assert plugins["echo"]["tasks"] == ["short-clips"]
    assert plugins["echo"]["error"] is None


def test_its_model_answers_its_task(installed: Path, demo: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    arguments = ["--model", "echo:words", "--tasks", "short-clips", "--data", str(demo), "--output", str(output)]
    done = run(installed, *arguments)
    assert done.returncode == 0, done.stderr
    record = json.loads((output / "run.json").read_text())
    assert record["plugins"]["egocross-echo"] == "0.3.0"
    samples = [json.loads(line) for line in (output / "samples.jsonl").read_text().splitlines()]
    assert samples
    assert all(len(sample["question"]["frames"]) <= 5 for sample in samples)
    assert all(sample["decision"].get("label") for sample in samples)


def test_a_broken_plugin_is_named_with_its_traceback_and_stops_nothing(installed: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    info = broken / "egocross_broken-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: egocross-broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[egocross_eval]\nbroken = egocross_broken\n")
    (broken / "egocross_broken.py").write_text("import an_engine_that_is_not_there\n")
    both = Path(os.pathsep.join([str(installed), str(broken)]))
    shown = run(both, "plugins")
    assert shown.returncode == 0
    assert "BROKEN" in shown.stdout
    assert "an_engine_that_is_not_there" in shown.stdout
    assert "model adapters: echo" in shown.stdout
    assert run(both, "tasks").returncode == 0


@pytest.fixture(scope="module")
def gauge_runs(on_path: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs over the third-party benchmark, whose data come with it."""
    root = tmp_path_factory.mktemp("gauges")
    for letter in "BC":
        model = f"baseline:constant,letter={letter}"
        assert call("--model", model, "--tasks", "gauges", "--output", root / letter) == 0
    return [root / letter for letter in "BC"]


def test_another_benchmark_is_listed_shown_and_verified(called: Callable[..., Called]) -> None:
    assert "Gauges" in called("tasks").out
    shown = called("show", "dial-40-number", "--tasks", "gauges", "--no-draw")
    assert shown.code == 0, shown.err
    assert "Which value does the instrument show?" in shown.out
    assert "Reply with the answer only" in shown.out
    assert "F: 81 to 100" in called("show", "2", "--tasks", "gauges", "--no-draw").out
    verified = called("data", "verify", "--tasks", "gauges")
    assert "14 questions, 14 frames: ok" in verified.out


def test_another_benchmark_is_hinted_at_where_its_task_was_left_out(
    called: Callable[..., Called], gauge_runs: list[Path]
) -> None:
    for arguments in (["show", "dial-40-number"], ["score", str(gauge_runs[0] / "predictions.json")]):
        assert "; for a question of Gauges: --tasks gauges" in called(*arguments).err


def test_the_tasks_of_all_benchmarks_are_counted_where_their_data_are(
    called: Callable[..., Called], demo: Path
) -> None:
    listed = called("tasks", "animal,gauges", "--data", str(demo)).out
    assert "EgoCross (splits: testbed, support, demo)" in listed
    assert "Gauges (splits: bench, field)" in listed
    assert re.search(r"^animal +12 ", listed, re.MULTILINE)
    assert re.search(r"^gauges +14 ", listed, re.MULTILINE)


def test_an_audit_leaves_out_what_free_answers_have_no_options_for(
    called: Callable[..., Called], tmp_path: Path
) -> None:
    output = str(tmp_path / "run")
    model = "baseline:constant,letter=B"
    assert called("--model", model, "--tasks", "gauges", "--ids", "1,2", "--output", output).code == 0
    done = called("audit", output)
    assert done.code == 0, done.err
    assert "longest: the longest option" in done.out
    assert "rotate" not in done.out


def test_another_benchmark_is_graded_by_its_own_rules_and_groups(gauge_runs: list[Path]) -> None:
    results = json.loads((gauge_runs[0] / "results.json").read_text())
    # No letter is a number; B is the range 16 to 30, which only one of seven gauges is in.
    assert results["counts"]["not_parsed"] == 7
    assert results["counts"]["right"] == 1
    assert set(results["groups"]) == {"instrument", "light"}
    assert set(results["groups"]["instrument"]) == {"bar", "dial"}
    assert results["macro"]["accuracy"] == pytest.approx((0 + 1 / 6) / 2)
    assert results["groups"]["instrument"]["bar"]["chance"] == pytest.approx(1 / 12)


def test_another_benchmark_is_resumed_scored_and_compared(
    called: Callable[..., Called], gauge_runs: list[Path]
) -> None:
    again = called("--model", "baseline:constant,letter=B", "--tasks", "gauges", "--output", str(gauge_runs[0]))
    assert "nothing to ask" in again.err
    scored = called("score", str(gauge_runs[0]))
    assert "-- by instrument" in scored.out
    assert "macro (instruments)" in scored.out
    compared = called("compare", *map(str, gauge_runs))
    assert compared.code == 0, compared.err
    assert "| dial " in compared.out


def test_another_benchmark_has_a_leaderboard_and_a_site_of_its_own(
    called: Callable[..., Called], gauge_runs: list[Path], tmp_path: Path
) -> None:
    board = called("leaderboard", *map(str, gauge_runs)).out
    assert "Gauges, bench, 14 questions" in board
    assert "Dials" in board
    assert "Qwen3-VL" not in board
    pytest.importorskip("vl_convert")
    made = called("site", *map(str, gauge_runs), "--output", str(tmp_path / "site"))
    assert made.code == 0, made.err
    page = (tmp_path / "site" / "index.html").read_text()
    assert "Dials" in page
    assert "Surgery" not in page


def test_targets_that_are_not_known_leave_another_benchmark_unscored(
    called: Callable[..., Called], tmp_path: Path
) -> None:
    arguments = ["--model", "baseline:constant,letter=B", "--tasks", "gauges", "--split", "field"]
    done = called(*arguments, "--output", str(tmp_path / "run"))
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "run" / "results.json").read_text())["micro"] is None


def test_tasks_of_two_benchmarks_are_not_asked_in_one_run(called: Callable[..., Called]) -> None:
    done = called("--model", "baseline:chance", "--tasks", "gauges,animal", "--split", "demo")
    assert done.code == 2
    assert "one run asks one benchmark" in done.err


DYING = """
import os
from egocross_eval import ModelAdapter, Response, evaluate

class Dying(ModelAdapter):
    def generate(self, requests):
        for request in list(requests):
            if request.key.endswith("between") and os.environ.get("DIE"):
                os.kill(os.getpid(), 9)
            print(request.key, flush=True)
            yield Response(key=request.key, text="A")

evaluate(Dying(), "gauges", output=os.environ["FOLDER"], method="second-look", cache=False)
"""


def test_a_third_party_method_is_killed_between_its_rounds_and_finished(installed: Path, tmp_path: Path) -> None:
    inherited = os.environ.get("PYTHONPATH", "")
    path = os.pathsep.join(filter(None, [str(installed), inherited]))
    environment = {**os.environ, "PYTHONPATH": path, "FOLDER": str(tmp_path / "run")}
    command = [sys.executable, "-W", "ignore", "-c", DYING]
    killed = subprocess.run(command, env={**environment, "DIE": "1"}, capture_output=True, text=True, check=False)
    assert killed.returncode == -9
    first = killed.stdout.split()
    assert not any(key.endswith("between") for key in first)
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    second = finished.stdout.split()
    assert set(first).isdisjoint(second)
    assert any(key.endswith("between") for key in second)
    samples = [json.loads(line) for line in (tmp_path / "run" / "samples.jsonl").read_text().splitlines()]
    assert len(samples) == 14
    assert sum(len(sample["answers"]) for sample in samples) == len(first) + len(second)


@pytest.mark.parametrize("package", ["egocross_echo", "egocross_gauges", "egocross_second_look"])
def test_the_tutorial_shows_the_code_of_the_plugins(package: str) -> None:
    tutorial = (PACKAGES.parents[1] / "docs" / "plugins.md").read_text()
    assert (PACKAGES / package / "src" / package / "__init__.py").read_text().strip() in tutorial
    assert (PACKAGES / package / "pyproject.toml").read_text().strip() in tutorial


def test_the_wheel_of_the_package_carries_its_data_files(tmp_path: Path) -> None:
    root = SOURCE.parents[2]
    with zipfile.ZipFile(build_wheel(root, tmp_path)) as wheel:
        names = set(wheel.namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "egocross_eval"], cwd=root, capture_output=True, text=True, check=False
    )
    if tracked.returncode != 0:
        pytest.skip("not a git checkout")
    assert set(tracked.stdout.splitlines()) <= names
