"""`plugins new` writes a package of each kind that passes its own tests and the conformance suite at once; one that is
broken afterwards is told the contract's line."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path

import pytest
from calling import call

from egocross_eval.cli.kit import KINDS
from egocross_eval.contracts.registry import Registry

BREAK = {
    "adapter": (
        "for request in requests:\n            try",
        "for request in list(requests)[1:]:\n            try",
        "model.py:",
    ),
    "task": ('target="A"', 'target="C"', "schema/question.py:"),
    "method": ('name="backwards"', 'name="forwards"', "method.py:"),
    "grader": (
        "return LetterGrader().grade(question, decision)",
        "return Grade(outcome='right', credit=2.0)",
        "grader.py:",
    ),
    "style": ("return StyledText(after=f", "return StyledText(system=f", "style.py:"),
    "exporter": ("path.write_text", "Path('elsewhere').write_text", "exporter.py:"),
    "verb": ("    return command\n", "    return show  # type: ignore[return-value]\n", "command.py:"),
}
"""By kind: what is replaced in the code, by what, and the contract that it breaks."""


def made(kind: str, folder: Path) -> Path:
    assert call("plugins", "new", f"my-{kind}", "--kind", kind, "--output", folder) == 0
    return folder / f"my-{kind}"


def install(package: Path) -> None:
    """As an editable installation does: the source on the path, with metadata that names the entry point."""
    name = package.name.replace("-", "_")
    info = package / "src" / f"{name}-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package.name}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[egocross_eval]\n{package.name} = {name}\n")


def run_python(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(package / "src"), os.environ.get("PYTHONPATH", "")])
    # Python takes a module's cached bytecode for the source's of the same second and size: a letter changed is missed.
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=package, env=environment, capture_output=True, text=True, check=False)


def run_tests(package: Path) -> subprocess.CompletedProcess[str]:
    return run_python(
        package, "pytest", "-q", "-p", "egocross_eval.testing.pytest_plugin", "-p", "no:cacheprovider", "-W", "error"
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_passes_and_a_broken_one_is_told_the_line(kind: str, tmp_path: Path) -> None:
    package = made(kind, tmp_path)
    install(package)
    done = run_tests(package)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    code = package / "src" / f"my_{kind}" / "__init__.py"
    before, after, contract = BREAK[kind]
    text = code.read_text()
    assert before in text
    code.write_text(text.replace(before, after, 1))
    broken = run_tests(package)
    assert broken.returncode == 1, broken.stdout
    place = contract if "/" in contract else f"contracts/{contract}"
    assert f"egocross_eval/{place}" in broken.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_is_typed_and_can_be_built(kind: str, tmp_path: Path) -> None:
    package = made(kind, tmp_path)
    checked = run_python(package, "mypy")
    assert checked.returncode == 0, checked.stdout
    built = run_python(package, "hatchling", "build", "-t", "wheel")
    assert built.returncode == 0, built.stderr
    assert list((package / "dist").glob(f"my_{kind}-0.1.0-*.whl"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_is_code_that_registers_what_it_says(kind: str, tmp_path: Path) -> None:
    package = made(kind, tmp_path)
    module = types.ModuleType("made")
    exec(compile((package / "src" / f"my_{kind}" / "__init__.py").read_text(), kind, "exec"), module.__dict__)
    registry = Registry()
    info = registry.add("made", lambda: module, distribution="d", version="1")
    registry.collect()
    assert info.error is None
    lists = [info.tasks, info.methods, info.graders, info.prompt_styles, info.model_adapters, info.exporters]
    lists.append(info.commands)
    assert [name for names in lists for name in names] == [f"my-{kind}"]


@pytest.mark.parametrize("name", ["My-Model", "9lives", "a--b", "json", "class", "../up", "egocross-eval", ""])
def test_a_name_that_no_package_can_have_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("plugins", "new", name, "--kind", "style", "--output", tmp_path) == 2
    assert "can't name a plugin" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    assert call("plugins", "new", "mine", "--kind", "style", "--output", tmp_path) == 2
    assert "exists already" in capsys.readouterr().err
    assert list((tmp_path / "mine").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "kind", "why"),
    [
        ("once", "method", "is a method of egocross-eval already"),
        ("letter", "grader", "is a grader of egocross-eval already"),
        ("score", "verb", "is a verb of egocross-eval already"),
        ("openai", "adapter", "is an adapter of egocross-eval already"),
        ("egocross", "style", "is a plugin of egocross-eval already"),
        ("msgspec", "style", "a package 'msgspec' is installed here"),
    ],
)
def test_a_name_that_is_taken_is_refused(
    name: str, kind: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("plugins", "new", name, "--kind", kind, "--output", tmp_path) == 2
    assert why in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_a_part_of_another_kind_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "path" / "once").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "path")
    assert call("plugins", "new", "once", "--kind", "style", "--output", tmp_path) == 0


def test_the_suite_says_what_to_do_for_a_package_that_is_not_installed(tmp_path: Path) -> None:
    done = run_tests(made("style", tmp_path))
    assert done.returncode != 0
    assert "no plugin 'my-style' is installed" in done.stdout
    assert "'pip install --editable .' in the folder of its package" in done.stdout


@pytest.mark.slow
def test_a_method_that_asks_more_than_it_says_is_told_the_line(tmp_path: Path) -> None:
    package = made("method", tmp_path)
    install(package)
    code = package / "src" / "my_method" / "__init__.py"
    code.write_text(code.read_text().replace("return 2", "return 1"))
    broken = run_tests(package)
    assert "took 2 requests, not 1" in broken.stdout
    assert "egocross_eval/contracts/method.py:" in broken.stdout


@pytest.mark.slow
def test_a_method_that_needs_scores_and_never_asks_for_them_is_told_the_line(tmp_path: Path) -> None:
    package = made("method", tmp_path)
    install(package)
    code = package / "src" / "my_method" / "__init__.py"
    plain = code.read_text()
    code.write_text(plain.replace('frozenset({"options"})', 'frozenset({"options", "scores"})'))
    broken = run_tests(package)
    assert "it needs scores, and its asks are answered in the modes {'generate'}" in broken.stdout
    assert "egocross_eval/contracts/method.py:" in broken.stdout
    code.write_text(code.read_text().replace('Ask(name="forwards")', 'Ask(name="forwards", answer_mode="choose")'))
    assert run_tests(package).returncode == 0
