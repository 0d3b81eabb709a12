"""What a training sets in the environment of its processes, and what it leaves to the user."""

from __future__ import annotations

from pathlib import Path

import pytest
from training_files import four_videos, write_base, write_support

from egocross_eval.contracts.registry import registry
from egocross_eval.training.options import TrainOptions
from egocross_eval.training.planning import TrainPlan, plan_training
from egocross_eval.training.trainer_process import WORK
from egocross_eval.training.trainer_variables import ALLOCATOR, trainer_variables


def plan(tmp_path: Path, gpus: int) -> TrainPlan:
    root, base = write_support(tmp_path / "data", four_videos()), write_base(tmp_path / "base")
    options = TrainOptions(model=str(base), data=root, output=tmp_path / "out", gpus=gpus, deepspeed="none")
    return plan_training(options, registry())


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*ALLOCATOR, "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)


def test_the_gpus_are_the_first_of_nvidias_own_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = trainer_variables(plan(tmp_path, 2), "/out")
    assert (found[WORK], found["CUDA_VISIBLE_DEVICES"], found["CUDA_DEVICE_ORDER"]) == ("/out", "0,1", "PCI_BUS_ID")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,1,0")
    found = trainer_variables(plan(tmp_path / "named", 2), "/out")
    assert found["CUDA_VISIBLE_DEVICES"] == "3,1"
    assert "CUDA_DEVICE_ORDER" not in found, "the user's numbers mean what they meant"


@pytest.mark.parametrize("name", ALLOCATOR)
def test_the_users_own_setting_of_the_allocator_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert trainer_variables(plan(tmp_path, 1), "/out")[ALLOCATOR[0]] == "expandable_segments:True"
    monkeypatch.setenv(name, "max_split_size_mb:128")
    assert not trainer_variables(plan(tmp_path / "set", 1), "/out").keys() & set(ALLOCATOR)


def test_a_training_on_the_cpu_sees_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    found = trainer_variables(plan(tmp_path, 0), "/out")
    assert (found["CUDA_VISIBLE_DEVICES"], found["ACCELERATE_TORCH_DEVICE"]) == ("", "cpu")
    assert found["OMP_NUM_THREADS"] == "3"
