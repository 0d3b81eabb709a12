"""A state of a run has the same exit code from `run` and `score`; 0 is what Python calls `complete`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from calling import call
from fake_server import HTTP_500, FakeServer

from egocross_eval import load_run


@pytest.fixture(scope="module")
def unlabelled(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's data without the right answers."""
    root = tmp_path_factory.mktemp("unlabelled") / "data"
    shutil.copytree(demo, root)
    (root / "egocross_testbed" / "egocross_testbed_answers.json").unlink()
    return root


def states(run: Path, *asked: str | Path) -> tuple[int, int, bool]:
    """Exit codes of `run` and `score`, and what Python says."""
    ran = call("run", *asked, "--output", run)
    return ran, call("score", run), load_run(run).results.complete


def test_all_answered_and_scored(demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    assert states(run, "--model", "baseline:longest", "--data", demo, "--limit", "4") == (0, 0, True)
    assert f"next: egocross-eval view {run} --wrong" in capsys.readouterr().out, "on no terminal too"


def test_all_answered_and_no_right_answer_known(unlabelled: Path, tmp_path: Path) -> None:
    asked = "--model", "baseline:longest", "--data", unlabelled, "--limit", "4"
    assert states(tmp_path / "run", *asked) == (0, 0, True)
    assert load_run(tmp_path / "run").results.micro is None


def test_right_answers_known_of_a_part(unlabelled: Path, demo: Path, tmp_path: Path) -> None:
    answers = json.loads((demo / "egocross_testbed" / "egocross_testbed_answers.json").read_text())
    (tmp_path / "part.json").write_text(json.dumps(answers[:50]))
    asked = "--model", "baseline:longest", "--data", unlabelled, "--answers", tmp_path / "part.json"
    assert states(tmp_path / "run", *asked) == (1, 1, False)


def test_questions_that_failed(demo: Path, tmp_path: Path) -> None:
    with FakeServer(models=("m",), faults=lambda call: HTTP_500 if call.number == 1 else None) as server:
        asked = "--model", f"openai:m,base_url={server.base_url},max_retries=0", "--data", demo, "--limit", "3"
        assert states(tmp_path / "run", *asked) == (1, 1, False)


def test_answers_that_wait_for_a_judge(demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = "--model", "baseline:longest", "--tasks", "open-animal", "--data", demo
    assert states(tmp_path / "run", *asked) == (0, 0, True)
    assert load_run(tmp_path / "run").results.micro is None
    capsys.readouterr()
    assert call("leaderboard", tmp_path / "run", "--no-published") == 0
    board = capsys.readouterr().out
    assert "Not ranked, as no judge has graded it yet" in board
    (row,) = [line for line in board.splitlines() if "baseline:longest" in line and line.startswith("|")]
    assert [cell.strip() for cell in row.split("|")[1:4]] == ["–", "baseline:longest", "–"]
    assert call("judge", tmp_path / "run", "--judge", "rules") == 0
    capsys.readouterr()
    assert call("leaderboard", tmp_path / "run", "--no-published") == 0
    assert "Not ranked" not in capsys.readouterr().out
