"""The folder that a maintainer forks for a board of their own: its workflows' steps are run as they stand there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from calling import call

BOARD = Path(__file__).resolve().parents[2] / "board"


def step(workflow: str, name: str) -> str:
    """The script of a step."""
    (job,) = yaml.safe_load((BOARD / ".github" / "workflows" / workflow).read_text())["jobs"].values()
    script = next(step["run"] for step in job["steps"] if step.get("name") == name)
    assert isinstance(script, str)
    return script


def run_step(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = folder / "bin" / "egocross-eval"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m egocross_eval "$@"\n')
    command.chmod(0o755)
    settings = {
        **os.environ,
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "RUNNER_TEMP": str(folder),
        **environment,
    }
    # As the workflow's machine calls it: bash -e.
    return subprocess.run(
        ["bash", "-e", "-c", script], cwd=folder, env=settings, capture_output=True, text=True, check=False
    )


@pytest.fixture
def fork(tmp_path: Path, demo: Path) -> Path:
    """A fork with two submissions."""
    folder = tmp_path / "fork"
    shutil.copytree(BOARD, folder)
    for name, spec in {"longest": "baseline:longest", "b": "baseline:constant,letter=B"}.items():
        place = folder / "submissions" / name
        assert call("--model", spec, "--data", demo, "--limit", "40", "--output", place / "run") == 0
        rows = ("leaderboard", place / "run", "--no-published", "--format", "json", "--output", place / "rows.json")
        assert call(*rows) == 0
    return folder


def test_honest_rows_pass_and_one_that_was_raised_does_not(fork: Path) -> None:
    script = step("check.yml", "Derive every row anew")
    done = run_step(script, fork, ANSWERS="")
    assert done.returncode == 0, done.stdout + done.stderr
    samples = fork / "submissions" / "longest" / "run" / "samples.jsonl"
    lines = [json.loads(line) for line in samples.read_text().splitlines()]
    for line in lines:
        line["answers"][0]["response"]["text"] = "A"
    samples.write_text("".join(json.dumps(line) + "\n" for line in lines))
    raised = run_step(script, fork, ANSWERS="")
    assert raised.returncode == 1
    assert "is not what submissions/longest/run gives" in raised.stdout
    assert "submissions/b/rows.json: the row of baseline:constant" in raised.stdout


@pytest.mark.slow
def test_answers_are_taken_from_the_secret(fork: Path, demo: Path) -> None:
    answers = (demo / "egocross_testbed" / "egocross_testbed_answers.json").read_text()
    done = run_step(step("check.yml", "Derive every row anew"), fork, ANSWERS=answers)
    assert done.returncode == 0, done.stdout + done.stderr
    changed = answers.replace('"correct_option_letter": "A"', '"correct_option_letter": "B"')
    assert changed != answers
    other = run_step(step("check.yml", "Derive every row anew"), fork, ANSWERS=changed)
    assert other.returncode == 1


@pytest.mark.slow
def test_board_and_site_are_written_without_what_is_right(fork: Path) -> None:
    pytest.importorskip("vl_convert")
    done = run_step(step("board.yml", "Write board and site"), fork)
    assert done.returncode == 0, done.stderr
    assert "baseline:longest" in (fork / "BOARD.md").read_text()
    assert json.loads((fork / "site" / "egocross-site.json").read_text())["answers"] is False
