"""What `tune --dry-run` says of ways that ask in several rounds, and numbers where a text is meant."""

from __future__ import annotations

import json
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


def test_requests_and_tokens_of_all_rounds_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path / "tune.yaml", plain=None, reflective={"method": "reflect"})
    assert call("tune", file, "--dry-run") == 0
    said = capsys.readouterr().out
    plain, reflective = (line.split() for line in said.splitlines() if line.startswith("baseline-longest"))
    assert plain[3] == plain[2]
    assert reflective[3:6:2] == [reflective[2], str(5 * int(reflective[2]))]
    first, most = (int(cell.replace(",", "")) for cell in reflective[6:9:2])
    assert [plain[4], most] == [reflective[6], pytest.approx(5 * first, abs=5 * int(plain[2]))]
    assert "from the first round of requests to all that may follow" in " ".join(said.split())
    assert call("tune", written(file, plain=None, rotated={"method": "rotate"}), "--dry-run") == 0
    assert "first round" not in capsys.readouterr().out


def test_the_tokens_of_a_way_are_those_that_a_run_of_it_would_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "sweep.yaml", plain=None, roles={"method": "roles"}, count={"method": "verify:chunks=2"})
    assert call("sweep", file, "--dry-run", "--format", "json") == 0
    planned = {run["name"]: run for run in json.loads(capsys.readouterr().out)["runs"]}
    for name, method in (("plain", "once"), ("roles", "roles"), ("count", "verify:chunks=2")):
        run = ["--model", "openai:any", "--split", "demo", "--tasks", "animal", "--method", method, "--dry-run"]
        assert call(*run, "--format", "json") == 0
        alone = json.loads(capsys.readouterr().out)
        found = planned[next(key for key in planned if key.endswith(name))]
        assert (found["tokens"], found["most_tokens"]) == (alone["tokens"], alone["estimate"]["most_tokens"])
        assert (found["most_tokens"] == found["tokens"]) == (method != "roles")


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
