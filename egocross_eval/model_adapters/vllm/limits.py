"""The pixel limits of a checkpoint's image processor, from its small files alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egocross_eval.documents import read_json

if TYPE_CHECKING:
    from egocross_eval.model_adapters.hf.checkpoint import Checkpoint

_FAMILY = ("Qwen2VLImageProcessor", "Qwen3VLImageProcessor")
"""Processors that scale a frame to a count of pixels between two limits."""


def size_within(checkpoint: Checkpoint, max_pixels: int) -> dict[str, int] | None:
    """The processor's `size` that keeps frames within a budget of pixels; None for processors without such limits.

    As `hf.scaling.PatchRule.frame_size` has it: the budget lowers both limits. (Only a budget below the processor's own
    lower limit can be exceeded, by rounding up to whole patches.)
    """
    settings = _settings(checkpoint)
    if not str(settings.get("image_processor_type", "")).startswith(_FAMILY):
        return None
    size = settings.get("size") or {}
    least = size.get("shortest_edge", settings.get("min_pixels"))
    most = size.get("longest_edge", settings.get("max_pixels"))
    if not isinstance(least, int) or not isinstance(most, int):
        return None
    highest = min(most, max_pixels)
    return {"shortest_edge": min(least, highest), "longest_edge": highest}


def _settings(checkpoint: Checkpoint) -> dict[str, Any]:
    for name, key in (("preprocessor_config.json", None), ("processor_config.json", "image_processor")):
        path = checkpoint.file(name)
        if path is None:
            continue
        content = read_json(path, dict[str, Any], what=f"{checkpoint.spec}:")
        settings = content if key is None else content.get(key, {})
        if isinstance(settings, dict) and settings:
            return settings
    return {}
