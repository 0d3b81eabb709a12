"""What `train` and `experiment` reply to programs keeps to the published schemas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from calling import call
from replied import document
from training_files import four_videos, write_base, write_support

from egocross_eval.training import environment as environments
from egocross_eval.training.environment import TrainingEnvironment


@pytest.fixture
def common(tmp_path: Path) -> list[str | Path]:
    """Examples and a base of which only the small files are there."""
    data, base = write_support(tmp_path / "data", four_videos()), write_base(tmp_path / "base")
    return ["--model", base, "--data", data, "--output", tmp_path / "out", "--recipe", "lora"]


def reply(capsys: pytest.CaptureFixture[str], *words: str | Path, code: int = 0) -> str:
    """What a command prints on standard output."""
    capsys.readouterr()
    assert call(*words, "--format", "json") == code
    return capsys.readouterr().out


def test_a_dry_run_says_what_a_training_needs(
    common: list[str | Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = document("train run", reply(capsys, "train", *common, "--gpus", "1", "--dry-run"))
    assert (found["examples"], found["recipe"]["name"]) == (20, "lora")
    assert sum(found["by_domain"].values()) == 20
    assert found["needs"]["memory"]
    assert found["config"]["template"] == "qwen3_vl_nothink"
    assert not (tmp_path / "out").exists()


def test_a_dry_run_of_an_experiment_plans_each_training(
    common: list[str | Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = {
        "model": str(common[1]),
        "data": str(common[3]),
        "output": "out",
        "domains": ["animal"],
        "train": {"recipe": "lora", "folds": 2},
        "evaluate": {"split": "holdout"},
    }
    (tmp_path / "experiment.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    found = document("experiment", reply(capsys, "experiment", tmp_path / "experiment.yaml", "--dry-run"))["trainings"]
    assert list(found) == ["animal-fold1", "animal-fold2"]
    assert all(plan["examples"] and plan["held_out"] for plan in found.values())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("evaluate", "said"),
    [
        ({"split": "testbed"}, "egocross_testbed_imgs.json"),
        ({"split": "holdout", "options": {"batch_sise": "8"}}, "batch_sise"),
    ],
)
def test_an_evaluation_that_cannot_be_is_found_before_anything_is_trained(
    common: list[str | Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    evaluate: dict[str, Any],
    said: str,
) -> None:
    def built(*args: object, **more: object) -> None:
        raise AssertionError("an environment is built")

    monkeypatch.setattr(environments, "find_environment", built)
    content = {
        "model": str(common[1]),
        "data": str(common[3]),
        "output": "out",
        "domains": ["animal"],
        "train": {"recipe": "lora", "gpus": 0, "folds": 2 if evaluate["split"] == "holdout" else 0},
        "evaluate": evaluate,
    }
    (tmp_path / "experiment.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    for words in ((), ("--dry-run",)):
        capsys.readouterr()
        assert call("experiment", tmp_path / "experiment.yaml", *words) in (1, 2)
        assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_expert_that_cannot_be_trained_is_found_before_the_others_are(
    common: list[str | Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def built(*args: object, **more: object) -> None:
        raise AssertionError("an environment is built")

    monkeypatch.setattr(environments, "find_environment", built)
    [last] = sorted((tmp_path / "data" / "egocross_support_set" / "frames").rglob("*.jpg"))[-1:]
    last.write_bytes(b"cut off")
    content = {
        "model": str(common[1]),
        "data": str(common[3]),
        "output": "out",
        "domains": ["animal"],
        "train": {"recipe": "lora", "gpus": 0, "folds": 2},
        "evaluate": {"split": "holdout"},
    }
    (tmp_path / "experiment.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    assert call("experiment", tmp_path / "experiment.yaml") == 2
    assert "expert of animal-fold" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_prepared_data_are_named(common: list[str | Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document("train data", reply(capsys, "train", "data", *common, "--holdout", "0.3", "--no-parity"))
    assert found["parity"] is None
    assert found["examples"] + found["held_out"] == 20
    assert Path(found["written"]["config"]).is_relative_to(tmp_path / "out")
    assert Path(found["written"]["holdout"]).is_file()


def test_recipes_are_listed_and_one_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    names = [entry["name"] for entry in document("train recipes", reply(capsys, "train", "recipes"))]
    assert "lora" in names
    found = document("train recipes", reply(capsys, "train", "recipes", "lora"))
    assert (found["name"], found["arguments"]["finetuning_type"]) == ("lora", "lora")


@pytest.mark.slow
@pytest.mark.training
def test_trainings_and_what_is_done_with_them_reply(
    environment: TrainingEnvironment,
    base: Path,
    bench: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """On the CPU, with real steps."""
    python = ["--python", str(environment.python)]
    small: list[str | Path] = ["--data", bench, "--max-pixels", "4096", "--frames", "uniform:2", "--gpus", "0", *python]
    words: list[str | Path] = [
        "--model",
        base,
        "--recipe",
        "lora-small",
        "--holdout",
        "0.25",
        "--output",
        tmp_path / "l",
    ]

    found = document("train environment", reply(capsys, "train", "environment", *python))
    assert found["python"] == str(environment.python)
    trained = document("train run", reply(capsys, "train", *words, *small, "--set", "num_train_epochs=1"))
    assert trained["spec"] == f"hf:{base},lora={trained['model']}"
    assert trained["card"]["steps"] > 0
    looks = document("train checkpoints", reply(capsys, "train", "checkpoints", tmp_path / "l", "--data", bench))
    assert [look["name"] for look in (looks[0], looks[-1])] == ["base", "final"]
    merged = reply(capsys, "train", "merge", trained["model"], "--output", tmp_path / "merged", *python)
    assert document("train merge", merged)["answer"]
    examined = reply(capsys, "train", "doctor", tmp_path / "merged", "--no-answer", *python)
    assert {one["status"] for one in document("train doctor", examined)["diagnoses"]} == {"fine"}


@pytest.mark.slow
@pytest.mark.training
def test_an_experiment_replies_with_its_experts(
    environment: TrainingEnvironment, base: Path, bench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content: dict[str, Any] = {
        "model": str(base),
        "data": str(bench),
        "output": str(tmp_path / "results"),
        "domains": ["animal"],
        "train": {"recipe": "lora", "frames": "uniform:2", "holdout": 0.3, "gpus": 0, "max_pixels": 4096},
        "evaluate": {"split": "testbed", "answer": "choose"},
    }
    (tmp_path / "experiment.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    python = ["--python", str(environment.python)]
    found = document("experiment", reply(capsys, "experiment", tmp_path / "experiment.yaml", *python))
    assert set(found["experts"]) == {"animal"}
    assert all(Path(report).is_file() for report in found["reports"])
