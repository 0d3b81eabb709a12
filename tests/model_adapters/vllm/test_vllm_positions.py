"""Positions in a prompt with a native video: those of vLLM's own code, without an engine."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hf_requests import adapter, mixed_requests

from egocross_eval.model_adapters.checkpoints.model_inputs import model_inputs
from egocross_eval.model_adapters.hf.loading import load_model
from egocross_eval.model_adapters.hf.options import HfOptions
from egocross_eval.model_adapters.vllm.extras import set_environment

pytestmark = [pytest.mark.slow, pytest.mark.vllm]

NAMES = ("input_ids", "mm_token_type_ids", "video_grid_thw", "second_per_grid_ts", "attention_mask")


def processor_of(checkpoint: Path) -> tuple[Any, Any]:
    """vLLM's processor of a checkpoint, and the model's config."""
    set_environment()
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.multimodal import MULTIMODAL_REGISTRY

    limits = {"image": 0, "video": 1}
    config = AsyncEngineArgs(model=str(checkpoint), max_model_len=2048, dtype="float32", limit_mm_per_prompt=limits)
    model_config = config.create_engine_config().model_config
    return MULTIMODAL_REGISTRY.create_processor(model_config), model_config.hf_config


def vllms_positions(processor: Any, config: Any, prompt: dict[str, Any], ids: list[int]) -> tuple[Any, int]:
    from vllm.model_executor.models.qwen2_5_vl import Qwen2_5_VLForConditionalGeneration
    from vllm.multimodal.processing import ProcessorInputs
    from vllm.multimodal.processing.context import TimingContext

    items = processor.info.parse_mm_data(prompt["multi_modal_data"])
    asked = ProcessorInputs(prompt=ids, mm_data_items=items, hf_processor_mm_kwargs=prompt["mm_processor_kwargs"])
    made = processor.apply(asked, TimingContext())
    [data], [place] = made["mm_kwargs"]["video"], made["mm_placeholders"]["video"]
    model = SimpleNamespace(config=config)
    model.iter_mm_grid_thw = functools.partial(Qwen2_5_VLForConditionalGeneration.iter_mm_grid_thw, model)
    feature = SimpleNamespace(modality="video", data=data, mm_position=place)
    found = Qwen2_5_VLForConditionalGeneration.get_mrope_input_positions(model, made["prompt_token_ids"], [feature])
    return found[0].long(), found[1]


def test_text_behind_a_video_of_qwen2_5_vl_has_the_positions_of_vllm(
    family_checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    from egocross_eval.model_adapters.vllm.engine.prompts import engine_prompt

    hf = adapter(family_checkpoint("qwen2_5_vl"))
    preparer = hf._prepared
    core = load_model(hf._checkpoint, HfOptions(device="cpu")).model
    processor, config = processor_of(family_checkpoint("qwen2_5_vl"))
    for request in mixed_requests(tmp_path, media="video", max_pixels=6000):
        loaded = preparer.load(preparer.plan(request))
        inputs = model_inputs(preparer, [loaded])
        ours, delta = core.get_rope_index(**{name: inputs[name] for name in NAMES})
        theirs = vllms_positions(processor, config, engine_prompt(loaded, preparer), list(loaded.item.ids))
        assert ours[:, 0].tolist() == theirs[0].tolist(), request.key
        assert delta.item() == theirs[1]
