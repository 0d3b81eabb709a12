"""Wrong command lines are answered in one line that names the thing, the place and the remedy."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from calling import call

from egocross_eval.cli.show.wrong_usage import usage_fault


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("score", "score needs RUN|PREDICTIONS; see 'egocross-eval score --help'"),
        ("view", "view needs RUN [OTHER]; see 'egocross-eval view --help'"),
        ("site run", "site needs --output; see 'egocross-eval site --help'"),
        ("data fetch", "data fetch needs PART: one of testbed, answers, support, checkpoints; see"),
        (
            "data fetch tstbed --output X",
            "PART: 'tstbed' is none of testbed, answers, support, checkpoints (did you mean",
        ),
        ("score rum", "RUN|PREDICTIONS: there is no file or folder 'rum' (did you mean 'run'?); see"),
        ("audit run/nope", "RUNS: there is no folder 'run/nope'; see"),
        ("experiment nope.yaml", "FILE: there is no file 'nope.yaml'; see"),
        ("--model m --limit x", "--limit: 'x' must be a whole number; see 'egocross-eval run --help'"),
        ("data demo X --per-cell 0", "--per-cell: '0' must be a whole number from 1; see"),
        (
            "--model m --answer chose",
            "--answer: 'chose' is none of generate, choose, constrained (did you mean 'choose'",
        ),
        ("--model m --taks all", "no option '--taks' of run (did you mean '--tasks'"),
        ("--model", "--model needs a value"),
        ("data verfy", "no verb 'verfy' of data (did you mean 'verify'?); known: demo, fetch, verify"),
        ("comapre", "no verb 'comapre' (did you mean 'compare'"),
        ("tasks animal surgery", "'surgery' is too much: it takes NAMES; see"),
        ("site run --output X --data run", "--data says where the frames are; add --frames to show them.; see"),
    ],
)
def test_a_wrong_line_is_answered_in_plain_words(
    line: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    assert call(*line.split()) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"Error: {said}")
    assert told.count("\n") == 1


def test_hidden_options_are_not_suggested(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--model", "m", "--vote", "3") == 2
    assert "--votes" not in capsys.readouterr().err


def test_a_text_that_is_not_known_is_passed_on() -> None:
    parameter = click.Option(["--size"], type=click.INT)
    assert usage_fault(click.BadParameter("too odd", param=parameter)) == "--size: too odd"
    assert usage_fault(click.UsageError("never seen")) == "never seen"
    assert usage_fault(click.FileError("x.txt", "busy")) == "Could not open file 'x.txt': busy"
