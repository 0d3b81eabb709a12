"""A sweep of twelve small models, killed twice, ends with the table that one by one gives."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from calling import call
from until import until
from whole_lines import whole_lines

MODELS = 12

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints that answer with chance, each with weights of its own."""
    from egocross_eval.model_adapters.checkpoints.tiny import build_tiny

    root = tmp_path_factory.mktemp("checkpoints")
    for number in range(MODELS):
        build_tiny(root / f"checkpoint-{number}", seed=number)
    return root


def answered(folder: Path) -> int:
    return sum(len(whole_lines(path)) for path in folder.glob("*/samples.jsonl"))


def start_and_kill(command: list[str], folder: Path, *, at: int) -> None:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until(lambda: answered(folder) >= at, process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def rows(board: str) -> list[list[str]]:
    """The cells of each row, less the date and the folder, which differ."""
    lines = [line for line in board.splitlines() if line.startswith("|")][2:]
    return sorted([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-3]] for line in lines)


def test_a_sweep_that_was_killed_twice_ends_with_the_table_of_single_runs(
    checkpoints: Path, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"data": str(demo), "frames": "uniform:1", "max_pixels": 4096, "answer": "choose", "limit": 8}
    file = tmp_path / "sweep.yaml"
    file.write_text(yaml.safe_dump({"models": [f"hf:{checkpoints}/checkpoint-*,batch_size=1"], "options": options}))
    command = [sys.executable, "-m", "egocross_eval", "sweep", str(file)]
    for at in (12, 50):
        start_and_kill(command, tmp_path / "sweep", at=at)
    assert call("sweep", file) == 0
    assert answered(tmp_path / "sweep") == 8 * MODELS

    singles = [tmp_path / "single" / f"checkpoint-{number}" for number in range(MODELS)]
    for number, folder in enumerate(singles):
        given = [text for name, value in options.items() for text in (f"--{name.replace('_', '-')}", str(value))]
        model = f"hf:{checkpoints}/checkpoint-{number},batch_size=1,name=hf:checkpoint-{number}"
        assert call("--model", model, *given, "--output", folder) == 0
    capsys.readouterr()
    assert call("leaderboard", *singles, "--no-published", "--intervals") == 0
    found = rows((tmp_path / "sweep" / "leaderboard.md").read_text())
    assert len(found) == MODELS
    assert found == rows(capsys.readouterr().out)
