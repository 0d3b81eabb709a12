"""How many floating-point operations prompts take, and how many a card does a second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

PATCHES = 4
"""Patches of the vision tower behind a token of a frame (Qwen-VL merges two by two)."""


def prefill_operations(model: Any, prompts: Sequence[tuple[int, int]], frame_tokens: int) -> float:
    """Operations of computing prompts of a Qwen-VL model, each given as (tokens, frames), without padding.

    Two for each weight and token, and those of attention: of a text's tokens each to those before it, of a frame's
    patches each to all. The last layer's words are computed for one token of a prompt.
    """
    text, vision = model.config.get_text_config(), model.config.vision_config
    language, tower = model.model.language_model, model.model.visual
    weights = _weights(language.layers)
    attention = 2 * text.num_hidden_layers * text.num_attention_heads * text.head_dim
    words = 2 * text.vocab_size * text.hidden_size
    patches = PATCHES * frame_tokens
    mergers = _weights(tower.merger) + _weights(getattr(tower, "deepstack_merger_list", None))
    frame = 2 * patches * (_weights(tower.blocks) + _weights(tower.patch_embed)) + 2 * frame_tokens * mergers
    frame += 4 * vision.depth * vision.hidden_size * patches**2
    return sum(2 * weights * tokens + attention * tokens**2 + words + frames * frame for tokens, frames in prompts)


def _weights(part: Any) -> int:
    return 0 if part is None else sum(weight.numel() for weight in part.parameters())


def product_rate(size: int = 8192, times: int = 20) -> float:
    """Operations a second of products of random matrices in bfloat16 on the present GPU."""
    import torch

    one, other = (torch.randn(size, size, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    for _ in range(3):
        one @ other
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(times):
        one @ other
    torch.cuda.synchronize()
    return 2 * size**3 * times / (time.perf_counter() - started)
