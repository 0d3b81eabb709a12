"""Names of version 0.1 are understood, hidden from help, and answered with the name of now."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from calling import call


def test_a_switch_of_before_is_the_value_of_an_option_now(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("tasks", "animal", "--json") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)[0]["name"] == "animal"
    assert shown.err == "hint: --json is called --format json now\n"


def test_the_place_of_before_is_taken_also_where_one_is_required(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("show", "5", "--data", demo, "--no-draw", "--to", tmp_path / "sheet.png") == 0
    assert (tmp_path / "sheet.png").is_file()
    assert "--to is called --output now" in capsys.readouterr().err
    assert call("data", "fetch", "answers", "--domain", "animal", "--to", tmp_path) == 2
    assert "Missing option" not in capsys.readouterr().err


def test_the_name_of_now_wins_over_the_one_of_before(demo: Path, tmp_path: Path) -> None:
    places: list[str | Path] = ["--to", tmp_path / "old.png", "--output", tmp_path / "new.png"]
    assert call("show", "5", "--data", demo, "--no-draw", *places) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["new.png"]


def test_a_short_name_that_meant_something_else_is_understood_where_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("parse", "the forceps", "-o", "A=scalpel", "-o", "B=forceps", "--format", "json") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["letter"] == "B"
    assert "-o is called --option now" in shown.err


def test_a_configuration_file_of_before_is_understood(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "settings.yaml"
    config.write_text(f"model: openai:any\ndata: {demo}\nlimit: 5\nvotes: rotate\ndry-run: true\n")
    assert call("--config", config) == 0
    shown = capsys.readouterr()
    assert "requests   20" in shown.out
    assert "--votes is called --method now" in shown.err


@pytest.mark.parametrize(
    ("verb", "old"),
    [("run", "--votes"), ("tasks", "--json"), ("show", "--to"), ("view", "--limit"), ("parse", "-o,")],
)
def test_help_shows_names_of_now_only(verb: str, old: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(verb, "--help") == 0
    assert not re.search(rf"{old}(?![\w-])", capsys.readouterr().out)
