"""A state of a run has the same exit code from `run` and `score`; 0 is what Python calls `complete`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from calling import call
from fake_server import HTTP_500, FakeServer

from egocross_eval import DataSource, load_run
from egocross_eval.contracts.registry import registry
from egocross_eval.tasks.select import load_questions


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


@pytest.fixture(scope="module")
def damaged(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's data with a frame of one question cut off and one of another gone."""
    root = tmp_path_factory.mktemp("damaged") / "data"
    shutil.copytree(demo, root)
    questions = load_questions([registry().task("animal")], DataSource(root=root, split="support")).questions
    first, second = (root / question.frames[0].name for question in questions[:2])
    first.write_bytes(first.read_bytes()[:20])
    second.unlink()
    return root


@pytest.mark.parametrize(
    ("model", "code"), [("openai:m,max_retries=0,base_url={url}", 1), ("baseline:longest", 0), ("hf:./nowhere", 2)]
)
def test_a_dry_run_ends_as_the_run_itself(
    model: str, code: int, damaged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeServer(models=("m",)) as server:
        spec = model.format(url=server.base_url)
        asked = "--model", spec, "--tasks", "animal", "--split", "support", "--data", damaged
        assert call(*asked, "--dry-run") == code
        assert server.count == 0
        shown = capsys.readouterr().out
        assert call(*asked, "--dry-run", "--format", "json") == code
        found = json.loads(capsys.readouterr().out)
        assert call(*asked, "--output", tmp_path / "run") == code
        if code < 2:
            assert found["failing"] == load_run(tmp_path / "run").results.counts["errored"] == 2 * code
            assert "unreadable 2 frames, e.g. " in shown
        for verb, content in (
            ("sweep", {"vary": {"seed": [1, 2]}}),
            ("tune", {"settings": {"a": {}, "b": {"seed": 2}}}),
        ):
            file = tmp_path / f"{verb}.yaml"
            common = {"models": [spec], "options": {"split": "support", "tasks": "animal", "data": str(damaged)}}
            file.write_text(yaml.safe_dump(common | content))
            capsys.readouterr()
            assert call(verb, file, "--dry-run", "--format", "json") == code
            planned = json.loads(capsys.readouterr().out)["runs"]
            assert [run.get("failing", 0) for run in planned] == [2 * (code == 1)] * 2
            assert all(bool(run.get("fault")) == (code == 2) for run in planned)
            assert call(verb, file) == code


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
