"""The small files of a checkpoint as the doctor reads them: which of them can't be, and what they say of its sizes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.documents import read_json, read_text
from egocross_eval.errors import DataError

_Mapping = dict[str, Any] | None


class _Positions(msgspec.Struct):
    rope_theta: float | None = None


class _Layers(_Positions):
    rope_parameters: _Positions | None = None
    rope_scaling: _Positions | None = None


class _Config(_Layers):
    text_config: _Layers | None = None
    vision_config: _Mapping = None


class _Token(msgspec.Struct):
    id: int
    content: str


class _Merges(msgspec.Struct):
    merges: list[str | list[str]] = []


class _Tokenizer(msgspec.Struct):
    model: _Merges | None = None
    added_tokens: list[_Token] = []


class _Processor(msgspec.Struct):
    size: _Mapping = None


class _Processors(msgspec.Struct):
    image_processor: _Processor | None = None


SHAPES: dict[str, Any] = {
    "config.json": _Config,
    "tokenizer.json": _Tokenizer,
    "tokenizer_config.json": dict[str, Any],
    "vocab.json": dict[str, Any],
    "special_tokens_map.json": dict[str, Any],
    "added_tokens.json": dict[str, Any],
    "generation_config.json": dict[str, Any],
    "preprocessor_config.json": _Processor,
    "video_preprocessor_config.json": dict[str, Any],
    "processor_config.json": _Processors,
    "chat_template.json": dict[str, Any],
}
"""What the doctor takes of each JSON file."""

TEMPLATE = "chat_template.jinja"

SIZES = (
    "model_type",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "vocab_size",
    "depth",
    "num_heads",
    "out_hidden_size",
    "num_position_embeddings",
    "patch_size",
    "spatial_merge_size",
    "temporal_patch_size",
    "deepstack_visual_indexes",
)
"""Fields of a configuration that training never changes."""


def unreadable(folder: Path) -> dict[str, str]:
    """What is wrong with each of the small files in `folder` that can't be read, by its name."""
    found = {}
    for name in (*SHAPES, TEMPLATE):
        path = folder / name
        if not path.is_file():
            continue
        try:
            _ = read_text(path) if name == TEMPLATE else read_json(path, SHAPES[name])
        except DataError as error:
            found[name] = str(error).replace(f"{path}", name)
    return found


def other_sizes(mine: Mapping[str, Any], base: Mapping[str, Any]) -> list[str]:
    """Where a configuration describes another model than the base's: a part or its kind is missing, a size differs.

    Sizes that only one of them has are passed over: some releases of transformers leave out what is the default.
    """
    wrong = []
    for part in ("", "text_config", "vision_config"):
        theirs = base.get(part) if part else base
        if not isinstance(theirs, dict):
            continue
        own = (mine.get(part) if part else mine) or {}
        wanted = [name for name in SIZES if name in theirs and (name in own or name == "model_type")]
        wrong += [
            f"{part}{'.' if part else ''}{name} is {own.get(name)} instead of {theirs[name]}"
            for name in wanted
            if own.get(name) != theirs[name]
        ]
        if part and not own:
            wrong.append(f"{part} is missing")
    return wrong
