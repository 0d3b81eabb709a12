"""Fixtures of the tests of vLLM. Those that need vLLM share two engines, started once a session."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # helper modules of the tests lie there

import checkpoints
from vllm_parts import EAGER, MEDIA, RANK, KeptOpen, spoiled

from egocross_eval.contracts.registry import registry
from egocross_eval.model_adapters.spec import build_adapter, parse_spec
from egocross_eval.model_adapters.vllm.extras import has_vllm


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves out what needs vLLM where it isn't installed."""
    if has_vllm():
        return
    for item in items:
        if item.get_closest_marker("vllm") is not None:
            item.add_marker(pytest.mark.skip(reason="vLLM isn't installed here; 'make test-vllm' runs this"))


@pytest.fixture(scope="session")
def vivid_checkpoint() -> Path:
    """A tiny Qwen3-VL checkpoint whose answers depend strongly on words and pictures."""
    return checkpoints.tiny_checkpoint(weight_spread=0.2)


@pytest.fixture(scope="session")
def spoiled_demo(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo benchmark with a cut-off frame and an over-long question."""
    return spoiled(demo, tmp_path_factory.mktemp("spoiled") / "root")


@pytest.fixture(scope="session")
def lora_folder(vivid_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PEFT adapter with random weights, large enough to change answers."""
    torch = pytest.importorskip("torch")
    peft = pytest.importorskip("peft")
    from transformers import AutoModelForImageTextToText

    torch.manual_seed(1)
    model = AutoModelForImageTextToText.from_pretrained(vivid_checkpoint)
    config = peft.LoraConfig(
        r=RANK,
        lora_alpha=2 * RANK,
        init_lora_weights=False,
        target_modules=r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj)",
    )
    folder = tmp_path_factory.mktemp("lora") / "adapter"
    peft.get_peft_model(model, config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def wide_loras(vivid_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two PEFT adapters with random weights for the vision tower, its merger, the text model and the scores of words;
    their folders are called alike."""
    torch = pytest.importorskip("torch")
    peft = pytest.importorskip("peft")
    from transformers import AutoModelForImageTextToText

    names = r".*visual\.blocks.*\.(qkv|proj|linear_fc1|linear_fc2)|.*language_model.*\.(q_proj|v_proj)|lm_head"
    config = peft.LoraConfig(r=RANK, lora_alpha=2 * RANK, init_lora_weights=False, target_modules=names)
    folders = [tmp_path_factory.mktemp("lora") / "model" for _ in range(2)]
    for seed, folder in enumerate(folders, start=2):
        torch.manual_seed(seed)
        model = AutoModelForImageTextToText.from_pretrained(vivid_checkpoint)
        peft.get_peft_model(model, config).save_pretrained(folder)
    return folders


@pytest.fixture(scope="session")
def engine(vivid_checkpoint: Path) -> Iterator[KeptOpen]:
    """`vllm:` on the vivid checkpoint; can serve LoRA adapters too."""
    spec = f"vllm:{vivid_checkpoint},{EAGER},{MEDIA},enable_lora=true,max_lora_rank={RANK}"
    adapter = build_adapter(parse_spec(spec), registry())
    yield KeptOpen(adapter)
    adapter.close()


@pytest.fixture(scope="session")
def served(vivid_checkpoint: Path, lora_folder: Path) -> Iterator[KeptOpen]:
    """`vllm-server:` on the vivid checkpoint with the LoRA adapter."""
    # Trusted, as its first run shows images and a later one videos.
    spec = f"vllm-server:{vivid_checkpoint},{EAGER},{MEDIA},trust_request_mm_kwargs=true,lora={lora_folder}"
    adapter = build_adapter(parse_spec(spec), registry())
    yield KeptOpen(adapter)
    adapter.close()
