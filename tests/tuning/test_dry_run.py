"""What `tune --dry-run` says of ways that ask in several rounds, and numbers where a text is meant."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from calling import call

from egocross_eval.runs.options import options_from
from egocross_eval.sweeps.file import read_sweep


def written(path: Path, **settings: object) -> Path:
    content = {"models": ["baseline:longest"], "options": {"split": "demo", "tasks": "animal"}, "settings": settings}
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def test_requests_of_all_rounds_are_told_and_of_which_the_tokens_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "tune.yaml", plain=None, reflective={"method": "reflect"})
    assert call("tune", file, "--dry-run") == 0
    said = capsys.readouterr().out
    plain, reflective = (line.split() for line in said.splitlines() if line.startswith("baseline-longest"))
    assert plain[3] == plain[2]
    assert reflective[3:6:2] == [reflective[2], str(5 * int(reflective[2]))]
    assert "the first round of requests" in " ".join(said.split())
    assert call("tune", written(file, plain=None, rotated={"method": "rotate"}), "--dry-run") == 0
    assert "first round" not in capsys.readouterr().out


def test_what_a_run_would_say_of_its_questions_is_said_once(
    tmp_path: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "tune.yaml", plain=None, two={"shots": 2}, strategy={"strategy": "reflective-dialogue"})
    content = yaml.safe_load(file.read_text()) | {"options": {"data": str(shared_data), "frames": "none"}}
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    assert call("tune", file, "--dry-run") == 0
    notes = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
    assert len(notes) == len(set(notes))
    without = [note.split(":")[1].strip() for note in notes if "these are asked without" in note]
    assert without == ["--shots 2", "--shots 3"]


def test_numbers_and_mappings_are_taken_where_a_strategy_takes_them(tmp_path: Path) -> None:
    assert options_from(shots=2).shots == "2"
    file = written(tmp_path / "s.yaml", shots={"shots": 2}, cut={"method": {"name": "verify", "chunks": 4}})
    assert [(run.options.shots, run.options.method) for run in read_sweep(file).runs] == [
        ("2", ""),
        ("", "verify,chunks=4"),
    ]
