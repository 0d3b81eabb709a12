"""GPUs are looked at before anything large is built or started."""

from __future__ import annotations

from pathlib import Path

import pytest

from egocross_eval.errors import UsageError
from egocross_eval.nvidia import usable_gpus
from egocross_eval.training import machine_report
from egocross_eval.training.gpus import check_gpus, outdated, visible_devices, warn_of_gpus
from egocross_eval.training.recipes import Launch


@pytest.fixture
def smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `nvidia-smi` whose script each test writes."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return tmp_path / "nvidia-smi"


def answer(smi: Path, *lines: str, code: int = 0) -> None:
    text = "".join(f"echo '{line}'\n" for line in lines)
    smi.write_text(f"#!/bin/sh\n{text}exit {code}\n", encoding="utf-8")
    smi.chmod(0o755)


CARD = "NVIDIA H100 80GB HBM3, 81559, 12, 580.65.06, GPU-7f21"
OTHER = "NVIDIA RTX 4090, 24564, 0, 580.65.06, GPU-9c03"


def test_as_many_gpus_as_asked_for_are_shown_to_the_trainer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible_devices(1) == "0"
    assert visible_devices(3) == "0,1,2"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7,2")
    assert visible_devices(2) == "5,7"


def test_cards_are_read_with_memory_and_driver(smi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(smi, CARD, OTHER)
    assert [round(gpu.memory) for gpu in usable_gpus()] == [80, 24]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert [gpu.name for gpu in usable_gpus()] == ["NVIDIA RTX 4090"]


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        ("-1", []),
        ("", []),
        ("1,-1,0", ["NVIDIA RTX 4090"]),
        ("GPU-9c", ["NVIDIA RTX 4090"]),
        ("GPU-7f21,1", ["NVIDIA H100 80GB HBM3", "NVIDIA RTX 4090"]),
        ("7", []),
    ],
)
def test_cards_are_those_that_the_environment_names(
    smi: Path, monkeypatch: pytest.MonkeyPatch, visible: str, names: list[str]
) -> None:
    answer(smi, CARD, OTHER)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [gpu.name for gpu in usable_gpus()] == names
    if not names:
        with pytest.raises(UsageError, match="there are 0 here that CUDA_VISIBLE_DEVICES names"):
            check_gpus(Launch(gpus=1), None)


def test_the_memory_of_a_part_of_a_card_is_not_taken_for_the_cards(smi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(smi, CARD)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-3a")
    assert [(gpu.name, gpu.memory, outdated(gpu)) for gpu in usable_gpus()] == [("MIG-3a", 0.0, False)]
    assert visible_devices(1) == "MIG-3a"


def test_more_gpus_than_there_are_is_refused_with_the_number_there_is(smi: Path) -> None:
    answer(smi, CARD, CARD)
    check_gpus(Launch(gpus=2), None)
    with pytest.raises(UsageError, match="--gpus 2"):
        check_gpus(Launch(gpus=4), None)


def test_an_old_driver_is_refused_with_a_way_out(smi: Path) -> None:
    answer(smi, "NVIDIA A100, 40960, 0, 535.104.05, GPU-11")
    with pytest.raises(UsageError, match=r"580 or newer(.|\n)*CUDA 12(.|\n)*--python"):
        check_gpus(Launch(gpus=1), None)
    check_gpus(Launch(gpus=1), Path("/my/python"))
    assert [entry.status for entry in machine_report.examine_machine() if entry.name == "driver"] == ["problem"]


def test_without_a_gpu_the_cpu_is_named(smi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(smi.parent))
    with pytest.raises(UsageError, match="--gpus 0"):
        check_gpus(Launch(gpus=1), None)
    check_gpus(Launch(gpus=0), None)


@pytest.mark.parametrize(
    ("cards", "code", "launch"),
    [
        (["NVIDIA A100, 40960, 0, 535.104.05, GPU-11"], 0, Launch(gpus=1)),
        ([CARD], 0, Launch(gpus=4)),
        (["Failed to initialize NVML"], 9, Launch(gpus=1)),
        ([], 0, Launch(gpus=1)),
    ],
)
def test_looking_at_a_plan_warns_of_what_its_training_would_refuse(
    smi: Path, cards: list[str], code: int, launch: Launch
) -> None:
    answer(smi, *cards, code=code)
    with pytest.raises(UsageError) as refused:
        check_gpus(launch, None)
    (finding,) = warn_of_gpus(launch, None)
    assert finding.level == "warning"
    assert str(refused.value) in finding.message


def test_nothing_is_warned_of_where_the_training_can_start(smi: Path) -> None:
    answer(smi, CARD, OTHER)
    assert warn_of_gpus(Launch(gpus=2), None) == []
    assert warn_of_gpus(Launch(gpus=0), None) == []


def test_a_driver_that_fails_is_said(smi: Path) -> None:
    answer(smi, "Failed to initialize NVML", code=9)
    with pytest.raises(UsageError, match="NVML"):
        check_gpus(Launch(gpus=1), None)
