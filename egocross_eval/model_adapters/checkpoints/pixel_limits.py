"""How a run's pixel budget meets the limits of a processor that scales frames to a count of pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egocross_eval.documents import read_json

if TYPE_CHECKING:
    from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint

_FAMILY = ("Qwen2VLImageProcessor", "Qwen3VLImageProcessor")
"""Processors with such limits."""


def within_budget(least: int, most: int, budget: int) -> tuple[int, int]:
    """A processor's (fewest, most) pixels of a frame under a budget, which lowers both.

    Only a budget below the processor's own lower limit can be exceeded, by rounding up to whole patches.
    """
    most = min(most, budget)
    return min(least, most), most


def size_setting(least: int, most: int, budget: int) -> dict[str, int]:
    """The processor's `size` for a budget, as transformers names it."""
    least, most = within_budget(least, most, budget)
    return {"shortest_edge": least, "longest_edge": most}


def size_within(checkpoint: Checkpoint, budget: int) -> dict[str, int] | None:
    """`size_setting` by a checkpoint's small files alone; None for processors without such limits."""
    settings = _settings(checkpoint)
    if not str(settings.get("image_processor_type", "")).startswith(_FAMILY):
        return None
    size = settings.get("size") or {}
    least = size.get("shortest_edge", settings.get("min_pixels"))
    most = size.get("longest_edge", settings.get("max_pixels"))
    if not isinstance(least, int) or not isinstance(most, int):
        return None
    return size_setting(least, most, budget)


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
