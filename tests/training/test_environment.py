"""The training environment and the report of the machine."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from egocross_eval.errors import UsageError
from egocross_eval.training import environment, machine_report
from egocross_eval.training.environment import built_folder, existing_environment, lock_file


def locked() -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", lock_file().read_text(encoding="utf-8"), re.MULTILINE))


def test_the_lock_holds_the_set_that_works_together() -> None:
    versions = locked()
    for name, wanted in environment.LOCKED.items():
        assert versions[name] == wanted
    assert {"deepspeed", "msgspec", "peft"} <= set(versions)


def test_make_writes_the_lock_from_what_is_asked_for_and_the_extra_asks_for_the_same() -> None:
    root = Path(__file__).parents[2]
    source = lock_file().with_suffix(".in")
    asked = dict(re.findall(r"^([a-z0-9-]+)==(.+)$", source.read_text(encoding="utf-8"), re.MULTILINE))
    assert asked.items() <= locked().items()
    extra = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]["train"]
    assert {f"{name}=={asked[name]}" for name in environment.LOCKED} <= set(extra)
    recipe = (root / "Makefile").read_text().partition("\nlock:")[2].partition("\n\n")[0]
    assert f"{source.relative_to(root)} -o {lock_file().relative_to(root)}" in recipe


def test_every_requirement_of_the_lock_has_hashes_and_no_address() -> None:
    text = lock_file().read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert len(blocks) == len(re.findall(r"^[a-z0-9._-]+==", text, re.MULTILINE))
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
    assert "--index" not in text


def test_another_lock_gets_another_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = built_folder()
    other = tmp_path / "lock.txt"
    other.write_text("torch==1.0\n", encoding="utf-8")
    monkeypatch.setattr(environment, "lock_file", lambda: other)
    assert environment.built_folder() != before


def test_half_an_environment_is_not_used(private_cache: Path) -> None:
    folder = built_folder()
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    assert existing_environment() is None


def test_an_interpreter_without_llamafactory_is_refused_with_the_remedy() -> None:
    if machine_report.installed("llamafactory"):
        pytest.skip("llamafactory is installed here")
    with pytest.raises(UsageError, match="leave --python out"):
        environment.find_environment(Path(sys.executable))


def test_an_interpreter_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="can't be run"):
        environment.find_environment(Path("/nowhere/python"))


def test_the_report_says_which_tokens_are_set_and_never_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    entries = machine_report.examine_machine()
    by_name = {entry.name: entry for entry in entries}
    assert by_name["OPENAI_API_KEY"].text == "set"
    assert by_name["GEMINI_API_KEY"].status == "absent"
    assert "very-secret" not in "".join(entry.text for entry in entries)


def test_the_report_names_versions_and_disk() -> None:
    entries = {entry.name: entry for entry in machine_report.examine_machine()}
    assert f"aiohttp {version('aiohttp')}" in entries["openai"].text
    assert "GiB free" in entries["cache"].text


def test_requirements_that_are_not_met_are_conflicts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_report, "installed", lambda name: {"torchaudio": "2.11.0", "torch": "2.15.0"}.get(name))
    monkeypatch.setattr(machine_report, "requires", lambda name: ["torch==2.11.0", "kaldi; extra == 'all'"])
    assert machine_report.conflicts() == ["torchaudio 2.11.0 needs torch==2.11.0, here is 2.15.0"]
