"""A whole experiment for real, by its command: killed in the middle of a training and of a run, it goes on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from trainings import kill_tree
from until import until
from whole_lines import whole_lines

from egocross_eval import evaluate, load_run
from egocross_eval.training.card import read_card
from egocross_eval.training.environment import TrainingEnvironment
from egocross_eval.training.trainer_checkpoints import is_whole

pytestmark = [pytest.mark.slow, pytest.mark.training]

DOMAINS = ("animal", "surgery")


@pytest.fixture
def experiment(base: Path, bench: Path, tmp_path: Path) -> Path:
    """Two experts of LoRA adapters, and base and experts on the testbed."""
    content = {
        "model": str(base),
        "data": str(bench),
        "output": "out",
        "domains": list(DOMAINS),
        "train": {
            "recipe": "lora",
            "set": {"cutoff_len": 4096, "learning_rate": 0.01, "save_strategy": "steps", "save_steps": 2},
            "frames": "uniform:2",
            "max_pixels": 4096,
            "gpus": 0,
        },
        "evaluate": {"answer": "choose", "options": {"batch_size": "1"}},
    }
    path = tmp_path / "experiment.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def kill_when(command: list[str], reached: Callable[[], bool], errors: Path) -> None:
    with errors.open("w") as out:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=out, start_new_session=True)
    until(lambda: reached() or process.poll() is not None)
    assert process.poll() is None, errors.read_text(encoding="utf-8")
    kill_tree(process.pid)
    process.wait()


def test_an_experiment_that_was_killed_twice_goes_on_and_leaves_its_reports(
    environment: TrainingEnvironment, experiment: Path, bench: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    models = {domain: output / "experts" / domain / "model" for domain in DOMAINS}
    command = [sys.executable, "-m", "egocross_eval", "experiment", str(experiment)]
    command += ["--python", str(environment.python)]

    # The first expert is finished and the second one is being trained.
    kill_when(command, lambda: is_whole(models["surgery"] / "checkpoint-2"), tmp_path / "first.txt")
    animal = read_card(models["animal"])
    assert animal is not None
    assert read_card(models["surgery"]) is None

    # Both are trained and the base is being asked.
    samples = output / "runs" / "base" / "samples.jsonl"
    kill_when(command, lambda: len(whole_lines(samples)) >= 3, tmp_path / "second.txt")
    said = (tmp_path / "second.txt").read_text(encoding="utf-8")
    assert f"{models['animal']} is finished: nothing to train" in said
    assert "going on from step" in said
    kept = whole_lines(samples)
    assert len(kept) < 25

    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.count("is finished: nothing to train") == 2
    assert whole_lines(samples)[: len(kept)] == kept
    assert read_card(models["animal"]) == animal

    runs = {name: load_run(output / "runs" / name) for name in ("base", "routed")}
    for run in runs.values():
        assert run.results.complete
        assert len(run.samples) == 25
    rows = [line for line in (output / "leaderboard.md").read_text(encoding="utf-8").splitlines() if "routed" in line]
    assert len(rows) == 1
    micro = runs["routed"].results.micro
    assert micro is not None
    assert f"{100 * micro.accuracy:.2f}" in rows[0]
    comparison = (output / "comparison.md").read_text(encoding="utf-8")
    assert "base" in comparison
    assert "routed" in comparison

    routes = yaml.safe_load((output / "routed.yaml").read_text(encoding="utf-8"))
    assert set(routes["models"]) == set(DOMAINS)
    for domain in DOMAINS:
        assert routes["models"][domain].endswith(f"lora={models[domain]}")
    joined = {sample.question.id: sample for sample in runs["routed"].samples}
    for sample in runs["base"].samples:
        same = sample.answers[0].response.scores == pytest.approx(
            joined[sample.question.id].answers[0].response.scores, abs=1e-4
        )
        assert same == (sample.question.label("domain") not in DOMAINS)
    alone = evaluate(
        routes["models"]["animal"],
        "animal",
        data=bench,
        output=tmp_path / "alone",
        answer="choose",
        frames="uniform:2",
        max_pixels=4096,
    )
    for sample in alone.samples:
        assert joined[sample.question.id].answers[0].response.scores == pytest.approx(
            sample.answers[0].response.scores, abs=1e-4
        )

    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0
    assert again.stdout == done.stdout
