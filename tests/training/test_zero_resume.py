"""A training with DeepSpeed that is killed goes on from its checkpoint as if it had never stopped."""

from __future__ import annotations

import multiprocessing
import shutil
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from trainings import CHANGES, kill_tree, options

from egocross_eval.contracts.registry import registry
from egocross_eval.training import planning
from egocross_eval.training.environment import TrainingEnvironment
from egocross_eval.training.planning import TrainPlan, plan_training
from egocross_eval.training.train import train
from egocross_eval.training.trainer_checkpoints import is_whole
from egocross_eval.training.trainer_config import configuration, zero_config

pytestmark = [
    pytest.mark.slow,
    pytest.mark.training,
    pytest.mark.skipif(shutil.which("c++") is None, reason="DeepSpeed compiles a part of itself for the CPU"),
]

OFTEN = ("num_train_epochs=6", "save_strategy=steps", "save_steps=4", "save_total_limit=2")


@pytest.fixture
def on_two_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is planned for two GPUs runs as two processes on CPUs, which the command line refuses with DeepSpeed."""

    def for_cpus(*parts: Any, **named: Any) -> dict[str, Any]:
        return configuration(*parts, **named) | {"use_cpu": True, "bf16": False, "ddp_backend": "gloo"}

    monkeypatch.setattr(planning, "configuration", for_cpus)
    for name, value in {"DS_ACCELERATOR": "cpu", "ACCELERATE_TORCH_DEVICE": "cpu", "OMP_NUM_THREADS": "1"}.items():
        monkeypatch.setenv(name, value)


def planned(base: Path, bench: Path, output: Path) -> TrainPlan:
    chosen = options(base, bench, output, gpus=2, deepspeed="zero2", changes=(*CHANGES, *OFTEN))
    return plan_training(chosen, registry())


@pytest.mark.usefixtures("on_two_cpus")
def test_a_killed_training_with_deepspeed_goes_on_from_its_last_checkpoint(
    environment: TrainingEnvironment, base: Path, bench: Path, tmp_path: Path
) -> None:
    whole = train(planned(base, bench, tmp_path / "whole"), environment)
    plan = planned(base, bench, tmp_path / "out")
    process = multiprocessing.get_context("fork").Process(target=train, args=(plan, environment))
    process.start()
    while not is_whole(tmp_path / "out" / "model" / "checkpoint-8"):
        assert process.is_alive()
        time.sleep(0.05)
    assert process.pid is not None
    kill_tree(process.pid)
    process.join()
    again = train(plan, environment)
    assert again.resumed_from >= 8
    assert again.card.launch["deepspeed"] == "zero2"
    assert [step for step, _ in again.card.loss] == list(range(1, plan.steps + 1))
    assert [loss for _, loss in again.card.loss] == pytest.approx([loss for _, loss in whole.card.loss], rel=1e-3)
    written = msgspec.json.decode((tmp_path / "out" / "zero2.json").read_bytes())
    assert written == zero_config("zero2")
