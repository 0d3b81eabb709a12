"""Where text stands behind a video: as in the code that came with Qwen2-VL and Qwen2.5-VL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hf_requests import adapter

from egocross_eval.model_adapters.hf.loading import load_model
from egocross_eval.model_adapters.hf.options import HfOptions
from egocross_eval.model_adapters.hf.positions import put_right

TIMES, ROWS, COLUMNS = 3, 2, 3
"""The grid of a video's tokens."""

KINDS = [0] * 4 + [2] * (TIMES * ROWS * COLUMNS) + [0] * 5


@pytest.fixture
def model(family_checkpoint: Callable[[str], Path]) -> Any:
    return load_model(adapter(family_checkpoint("qwen2_5_vl"))._checkpoint, HfOptions(device="cpu"))


@pytest.mark.slow
@pytest.mark.parametrize(("seconds", "padding"), [(4.0, 0), (0.25, 0), (4.0, 7)])
def test_text_goes_on_behind_the_last_moment_of_a_video(model: Any, seconds: float, padding: int) -> None:
    import torch

    kinds = torch.tensor([[0] * padding + KINDS])
    mask = torch.tensor([[0] * padding + [1] * len(KINDS)])
    positions, deltas = model.model.get_rope_index(
        torch.zeros_like(kinds),
        mm_token_type_ids=kinds,
        video_grid_thw=torch.tensor([[TIMES, 2 * ROWS, 2 * COLUMNS]]),
        second_per_grid_ts=torch.tensor([seconds]),
        attention_mask=mask,
    )
    step = 2 * seconds  # this model counts two positions a second
    last = 4 + max(int((TIMES - 1) * step), ROWS - 1, COLUMNS - 1)
    found = positions[:, 0, padding:]
    assert found[:, :4].tolist() == [[0, 1, 2, 3]] * 3
    assert found[0, 4 : 4 + TIMES * ROWS * COLUMNS : ROWS * COLUMNS].tolist() == [
        4 + int(t * step) for t in range(TIMES)
    ]
    assert found[:, -5:].tolist() == [[last + 1 + place for place in range(5)]] * 3
    assert deltas.tolist() == [[last + 6 - len(KINDS)]]


def test_so_it_does_with_qwen2_vl() -> None:
    import torch
    from transformers import Qwen2VLConfig
    from transformers.models.qwen2_vl.modeling_qwen2_vl import Qwen2VLModel

    text = {"hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1}
    text |= {"intermediate_size": 64, "vocab_size": 32}
    vision = {"depth": 1, "embed_dim": 32, "hidden_size": 64, "num_heads": 2}
    config = Qwen2VLConfig(text_config=text, vision_config=vision)
    core = Qwen2VLModel(config)
    put_right(SimpleNamespace(config=config, model=core))
    kinds = torch.tensor([[0] * 4 + [2] * 8 + [0] * 3])
    grid = torch.tensor([[8, 2, 2]])
    positions, deltas = core.get_rope_index(torch.zeros_like(kinds), mm_token_type_ids=kinds, video_grid_thw=grid)
    assert positions[0, 0].tolist() == list(range(15))
    assert positions[1, 0].tolist() == [0, 1, 2, 3, *[4] * 8, 12, 13, 14]
    assert deltas.tolist() == [[0]]


def test_versions_and_models_that_count_otherwise_are_left_as_they_are() -> None:
    def get_rope_index(input_ids: Any) -> None: ...

    for kind in ("qwen2_5_vl", "qwen3_vl"):
        other = SimpleNamespace(config=SimpleNamespace(model_type=kind), model=SimpleNamespace())
        put_right(other)
        other.model.get_rope_index = get_rope_index
        put_right(other)
        assert other.model.get_rope_index is get_rope_index
