"""A real third-party plugin package: built, installed beside this one, and used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "third_party" / "egocross_echo"


def build_wheel(source: Path, target: Path) -> Path:
    """Builds the wheel of a package; returns its path."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = target.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the plugin's wheel is installed in."""
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(build_wheel(SOURCE, tmp_path_factory.mktemp("dist"))) as wheel:
        wheel.extractall(site)
    return site


def run(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line with the installed plugins on the path."""
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-m", "egocross_eval", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_plugin_is_listed_with_what_it_registers(installed: Path) -> None:
    plugins = {p["name"]: p for p in json.loads(run(installed, "plugins", "--json").stdout)}
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
    assert all(sample["prediction"].get("letter") for sample in samples)


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


def test_the_tutorial_shows_the_code_of_the_plugin() -> None:
    tutorial = (SOURCE.parents[2] / "docs" / "plugins.md").read_text()
    assert (SOURCE / "src" / "egocross_echo" / "__init__.py").read_text().strip() in tutorial
    assert (SOURCE / "pyproject.toml").read_text().strip() in tutorial


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
