"""How many prompt tokens a batch may hold: an estimate from the model's shape and the free memory."""

from __future__ import annotations

from typing import Any

CPU_TOKENS = 8192
"""Batches on a CPU: larger ones gain nothing, as a core is busy with far fewer."""

MOST_TOKENS = 131_072
LEAST_TOKENS = 4096

SHARE = 0.4
"""Share of the free memory that the estimate may fill: it knows nothing of fragments or an architecture's extras."""


def batch_tokens(model: Any) -> int:
    """Most tokens of a batch, padding included, for a loaded model on its device."""
    import torch

    if model.device.type != "cuda":
        return CPU_TOKENS
    free, _ = torch.cuda.mem_get_info(model.device)
    fitting = int(SHARE * free / bytes_per_token(model.config, model.dtype.itemsize))
    return max(LEAST_TOKENS, min(MOST_TOKENS, fitting))


def bytes_per_token(config: Any, width: int) -> int:
    """Memory that a prompt's token takes during a forward pass, at `width` bytes a number.

    The key-value cache of all layers, the activations of one layer, and those of the vision tower's patches behind an
    image token (four, with a layer's activations each, and their pixels in float32).
    """
    text = config.get_text_config()
    hidden = _number(text, "hidden_size", 4096)
    heads = _number(text, "num_attention_heads", 32)
    head = _number(text, "head_dim", hidden // heads)
    cache = 2 * _number(text, "num_hidden_layers", 32) * _number(text, "num_key_value_heads", heads) * head
    layer = 12 * hidden + 3 * _number(text, "intermediate_size", 4 * hidden)
    vision = getattr(config, "vision_config", None)
    vision_hidden = _number(vision, "hidden_size", 1024)
    patches = 4 * (12 * vision_hidden + 2 * _number(vision, "intermediate_size", 4 * vision_hidden))
    return width * (cache + layer + patches) + 4 * 6144


def _number(config: Any, name: str, otherwise: int) -> int:
    value = getattr(config, name, None)
    return value if isinstance(value, int) and value > 0 else otherwise
