"""Text of others reaches the terminal without anything that a terminal would obey, in every verb and every error."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from _pytest.capture import CaptureResult
from calling import call, on_terminal
from hostile import ESCAPES, EVERYTHING, OBEYED, rewrite
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval.cli.main import show_warning
from egocross_eval.cli.show.terminal import settle_terminal
from egocross_eval.visible import on_one_line, rich_console, visible, visible_json


@pytest.fixture
def poisoned(run: Path) -> Path:
    """A run with escapes in all texts that come from the model, its server or the data."""

    def poison_record(record: Any) -> None:
        record["model"]["name"] += EVERYTHING
        record["created_at"] += EVERYTHING
        record["benchmark"]["title"] += EVERYTHING
        record["settings"]["tasks"] = [EVERYTHING]

    def poison_sample(sample: Any) -> None:
        question, answer = sample["question"], sample["answers"][0]
        question["text"] += EVERYTHING
        question["options"] = {letter: text + EVERYTHING for letter, text in question["options"].items()}
        question["labels"] = {name: text + EVERYTHING for name, text in question["labels"].items()}
        answer["response"]["text"] += EVERYTHING
        answer["ask"]["name"] = EVERYTHING
        sample["grade"]["reason"] = EVERYTHING
        if question["id"] % 2:
            sample["grade"] = {"outcome": "errored"}
            answer["response"] = {"key": sample["key"], "failure": {"kind": EVERYTHING, "message": EVERYTHING}}

    rewrite(run / "run.json", poison_record)
    rewrite(run / "samples.jsonl", poison_sample)
    rewrite(run / "questions.jsonl", lambda question: question.update(text=EVERYTHING))
    (run / "results.json").unlink()
    return run


def assert_inert(captured: CaptureResult[str]) -> None:
    assert OBEYED.findall(captured.out + captured.err) == []


@pytest.mark.parametrize(
    "words",
    [
        "view RUN",
        "view RUN --full",
        "view RUN RUN",
        "view RUN --label domain=nowhere",
        "view RUN --id nowhere",
        "score RUN",
        "score RUN --format json",
        "leaderboard RUN",
        "leaderboard RUN --format csv",
        "leaderboard RUN --format json",
        "leaderboard RUN --format latex",
        "leaderboard RUN --format html",
        "compare RUN HONEST",
        "compare RUN HONEST --format json",
        "export RUN --to predictions",
        "submit RUN",
        "audit RUN",
    ],
)
@pytest.mark.parametrize("terminal", [False, True])
def test_no_verb_lets_escapes_of_a_foreign_run_through(
    words: str,
    terminal: bool,
    poisoned: Path,
    honest_run: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(poisoned.parent)
    if terminal:
        on_terminal(monkeypatch)
    call(*words.replace("RUN", str(poisoned)).replace("HONEST", str(honest_run)).split())
    said = capsys.readouterr()
    assert said.out or said.err
    assert_inert(said)


@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES.keys())
def test_no_error_lets_an_escape_through(escape: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    yaml = tmp_path / "model.yaml"
    yaml.write_text(json.dumps({"scheme": escape}))
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps({"kind": "egocross-eval rows", "schema_version": 2, "rows": [{"rank": escape}]}))
    for words in (
        ["parse", f"The answer is {escape} B"],
        ["--model", f"{escape}:x"],
        ["--model", f"openai:{escape},base_url={escape}"],
        ["--model", str(yaml)],
        ["--tasks", escape],
        [escape],
        ["train", "recipes", escape],
        ["leaderboard", str(rows)],
        ["leaderboard", str(tmp_path / escape.replace("/", ""))],
        ["parse", "B", "--option", escape],
    ):
        call(*words)
        assert_inert(capsys.readouterr())


def test_warnings_plugins_and_tracebacks_go_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    settle_terminal()
    settle_terminal()
    click.secho(EVERYTHING, fg="red", color=True)
    print(EVERYTHING, file=sys.stderr)
    sys.stdout.writelines([EVERYTHING, EVERYTHING])
    show_warning(UserWarning(EVERYTHING), UserWarning, "x.py", 1)
    sys.excepthook(ValueError, ValueError(EVERYTHING), None)
    said = capsys.readouterr()
    assert_inert(said)
    assert "␛]0;pwned␇" in said.out


def test_bars_of_progress_still_move(capsys: pytest.CaptureFixture[str]) -> None:
    settle_terminal()
    for piece in ("\r 10%|#", "\n", "\x1b[A"):
        sys.stderr.write(piece)
    assert capsys.readouterr().err == "\r 10%|#\n\x1b[A"


def test_rich_keeps_its_colours_and_loses_those_of_texts() -> None:
    out = io.StringIO()
    console = rich_console(file=out, force_terminal=True, width=200, color_system="standard")
    console.print(f"plain {EVERYTHING}", style="red", markup=False, highlight=False)
    drawn = out.getvalue()
    assert drawn.startswith("\x1b[31m")
    assert OBEYED.findall(drawn.replace("\x1b[31m", "").replace("\x1b[0m", "")) == []


@given(st.text())
def test_what_is_shown_has_nothing_to_obey(text: str) -> None:
    assert OBEYED.findall(visible(text)) == []
    assert visible(visible(text)) == visible(text)
    assert OBEYED.findall(on_one_line(text)) == []
    assert "\n" not in on_one_line(text)
    assert json.loads(visible_json(json.dumps(text, ensure_ascii=False))) == text


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Zl", "Zp"))))
def test_what_is_harmless_is_shown_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize("text", ["שלום", "👩‍👩‍👧", "a\tb\nc", "été", "می‌خواهم"])
def test_other_scripts_and_joined_characters_stay(text: str) -> None:
    assert visible(text) == text
