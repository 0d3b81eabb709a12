"""How many floating-point operations a prompt of a dense Qwen3-VL takes, from the numbers of its configuration."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What operations depend on."""

    layers: int
    layer_weights: int
    """Of one layer of the language model, but for its norms."""
    attention: int
    """Numbers in a token's queries, all heads together."""
    depth: int
    block_weights: int
    """Of one block of the vision tower, but for its norms."""
    vision: int
    """Numbers in a patch's queries."""
    patch_weights: int
    merger_weights: int
    """Of all mergers together."""
    patch: int
    """Pixels along a patch's side."""
    merged: int
    """Patches that become one token."""


def shape(checkpoint: str | Path) -> Shape:
    """Read from the `config.json` of a checkpoint's folder."""
    config = json.loads((Path(checkpoint) / "config.json").read_text(encoding="utf-8"))
    text, vision = config["text_config"], config["vision_config"]
    hidden, queries = text["hidden_size"], text["num_attention_heads"] * text["head_dim"]
    keys = text["num_key_value_heads"] * text["head_dim"]
    wide, merged = vision["hidden_size"], vision["spatial_merge_size"] ** 2
    mergers = 1 + len(vision["deepstack_visual_indexes"])
    return Shape(
        layers=text["num_hidden_layers"],
        layer_weights=2 * hidden * (queries + keys) + 3 * hidden * text["intermediate_size"],
        attention=queries,
        depth=vision["depth"],
        block_weights=4 * wide**2 + 2 * wide * vision["intermediate_size"],
        vision=wide,
        patch_weights=_patch_values(vision) * wide,
        merger_weights=mergers * merged * wide * (merged * wide + vision["out_hidden_size"]),
        patch=vision["patch_size"],
        merged=merged,
    )


def _patch_values(vision: dict[str, Any]) -> int:
    return int(vision["in_channels"] * vision["temporal_patch_size"] * vision["patch_size"] ** 2)


def operations(shape: Shape, tokens: int, frames: Sequence[int], cached: int = 0) -> float:
    """Of computing a prompt's tokens but the first `cached`; `frames`: patches of each.

    Two for each weight and token, and those of attention, causal in the text and among all patches of a frame. Cached
    tokens are taken to be frames and text in the prompt's own proportion.
    """
    text = 2 * shape.layers * shape.layer_weights * (tokens - cached)
    text += 2 * shape.layers * shape.attention * (tokens**2 - cached**2)
    seen = sum(_frame(shape, patches) for patches in frames)
    return text + seen * (1 - cached / tokens)


def _frame(shape: Shape, patches: int) -> float:
    linear = 2 * patches * (shape.depth * shape.block_weights + shape.patch_weights)
    return linear + 4 * shape.depth * shape.vision * patches**2 + 2 * patches / shape.merged * shape.merger_weights
