"""Which device and which attention a model gets, and what is refused. The card is a stand-in: its driver's files."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hf_requests import adapter, draw_frames, make_request, scores_of

from egocross_eval import nvidia
from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
from egocross_eval.model_adapters.hf.attention import SEES_WHOLE_IMAGES
from egocross_eval.model_adapters.hf.device import refuse_idle_card, resolve_device
from egocross_eval.model_adapters.hf.loading import load_model
from egocross_eval.model_adapters.hf.options import HfOptions

if TYPE_CHECKING:
    from typing import Any

VERSION = (
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024\n"
    "GCC version:  gcc version 12.3.0 (Ubuntu 12.3.0-1ubuntu1~22.04)\n"
)
OPEN_VERSION = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build\n"


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an NVIDIA card: the driver's file, and the folder of devices."""
    (tmp_path / "version").write_text(VERSION)
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "nvidia0").touch()
    monkeypatch.setattr(nvidia, "DRIVER", tmp_path / "version")
    monkeypatch.setattr(nvidia, "DEVICES", tmp_path / "dev")
    monkeypatch.setattr(nvidia, "WSL_LIBRARIES", tmp_path / "wsl")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return tmp_path


@pytest.fixture
def windows(card: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Linux below Windows (WSL), where the card is Windows's and its driver's files are elsewhere."""
    (card / "version").unlink()
    (card / "dev" / "nvidia0").unlink()
    (card / "dev" / "dxg").touch()
    (card / "wsl").mkdir()
    (card / "wsl" / "libcuda.so.1").touch()
    tool = card / "wsl" / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 537.13\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(card / "nowhere"))
    return card


def no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.slow
def test_a_card_that_pytorch_can_not_use_is_no_reason_to_take_the_cpu(
    card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_cuda(monkeypatch)
    with pytest.raises(UsageError, match=r"driver 535\.183\.01.*device=cpu"):
        resolve_device("auto")
    assert resolve_device("cpu") == "cpu"


@pytest.mark.slow
def test_spreading_a_model_is_no_way_around_it(card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_cuda(monkeypatch)
    base = Checkpoint(str(checkpoint(tmp_path / "qwen", "qwen3_vl")))
    with pytest.raises(UsageError, match=r"driver 535\.183\.01.*device=cpu"):
        load_model(base, HfOptions(device_map="auto"))


def test_the_error_names_what_pytorch_was_built_for(card: Path) -> None:
    with pytest.raises(UsageError, match=r"built for CUDA 13\.0 and can't use it: update the driver"):
        refuse_idle_card("13.0")
    with pytest.raises(UsageError, match="built without CUDA"):
        refuse_idle_card(None)
    (card / "version").write_text(OPEN_VERSION)
    with pytest.raises(UsageError, match=r"driver 570\.86\.15"):
        refuse_idle_card("13.0")


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_cards_that_the_user_hides_are_not_missed(card: Path, monkeypatch: pytest.MonkeyPatch, hidden: str) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    refuse_idle_card("13.0")


def test_a_container_without_the_hosts_card_is_no_machine_with_one(card: Path) -> None:
    (card / "dev" / "nvidia0").unlink()
    (card / "dev" / "nvidiactl").touch()
    refuse_idle_card("13.0")


def test_a_card_of_windows_is_not_missed_below_it(windows: Path) -> None:
    with pytest.raises(UsageError, match=r"driver 537\.13.*built for CUDA 13\.0"):
        refuse_idle_card("13.0")
    (windows / "wsl" / "nvidia-smi").write_text("#!/bin/sh\necho GPU access blocked\nexit 17\n")
    with pytest.raises(UsageError, match="with a driver, but"):
        refuse_idle_card("13.0")
    (windows / "wsl" / "nvidia-smi").unlink()
    with pytest.raises(UsageError, match="with a driver, but"):
        refuse_idle_card("13.0")


@pytest.mark.parametrize("lacking", ["dev/dxg", "wsl/libcuda.so.1"])
def test_windows_without_an_nvidia_card_and_a_container_that_was_not_given_it_have_none(
    windows: Path, lacking: str
) -> None:
    (windows / lacking).unlink()
    refuse_idle_card("13.0")


def checkpoint(folder: Path, kind: str) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": kind}))
    return folder


@pytest.mark.parametrize("attention", ["flash_attention_2", "flash_attention_3", "kernels-community/flash-attn"])
def test_flash_attention_is_refused_where_images_are_read_both_ways(tmp_path: Path, attention: str) -> None:
    with pytest.raises(UsageError, match=r"attn=flash.*gemma3.*attn=sdpa|attn=kernels.*gemma3.*attn=sdpa"):
        adapter(checkpoint(tmp_path / "gemma", "gemma3"), attn=attention)
    adapter(checkpoint(tmp_path / "again", "gemma3"), attn="sdpa")
    adapter(checkpoint(tmp_path / "qwen", "qwen3_vl"), attn=attention)


def test_the_families_that_read_images_both_ways_are_those_of_the_installed_transformers() -> None:
    spec = importlib.util.find_spec("transformers")
    if spec is None or spec.origin is None:
        pytest.skip("transformers isn't installed")
    marks = ("block_sequence_ids", "or_mask_function", "token_type_ids_mask_function")
    folder = Path(spec.origin).parent / "models"
    masking = {
        path.parent.name
        for path in folder.glob("*/modeling_*.py")
        if any(mark in path.read_text(encoding="utf-8") for mark in marks)
    }
    # Those whose blocks are no images, or that read no images with text by the auto class.
    others = {"diffusion_gemma", "hrm_text", "pi0"}
    assert masking - others <= SEES_WHOLE_IMAGES


@pytest.mark.slow
def test_weights_are_read_onto_their_device_one_by_one(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from egocross_eval.model_adapters.hf import loading

    asked = [make_request("q", draw_frames(tmp_path, 2))]

    def scores() -> dict[str, float]:
        model: Any = adapter(tiny_checkpoint)
        try:
            return scores_of(next(iter(model.generate(iter(asked)))))
        finally:
            model.close()

    plain = scores()
    # A name of the CPU that isn't `cpu`, so that it's treated as a GPU's.
    monkeypatch.setattr(loading, "resolve_device", lambda name: "cpu:0")
    assert scores() == plain
