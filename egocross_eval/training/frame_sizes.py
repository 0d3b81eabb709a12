"""How large a frame is when LLaMA-Factory trains on it, and when evaluation shows it.

LLaMA-Factory first scales a frame into its own pixel limits and the processor then rounds it to whole tokens;
evaluation applies both limits at once. The two can differ by a row of tokens. The dataset then carries a copy of the
frame in the size that evaluation shows, which both leave as it is.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from egocross_eval.documents import read_json
from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint

Size = tuple[int, int]
"""(height, width) in pixels."""

NARROWEST = 28
"""LLaMA-Factory widens a frame whose shorter side is below this many pixels."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a checkpoint's image processor does to a frame's size."""

    factor: int
    """Side of the square of pixels that one token covers."""
    least: int
    most: int
    """Fewest and most pixels of a frame."""

    def fitted(self, size: Size, least: int, most: int) -> Size:
        """Whole tokens nearest to `size` with `least` to `most` pixels, as processors of the Qwen-VL kind have it."""
        height, width = size
        tall = max(self.factor, round(height / self.factor) * self.factor)
        wide = max(self.factor, round(width / self.factor) * self.factor)
        if tall * wide > most:
            scale = math.sqrt(height * width / most)
            tall = max(self.factor, math.floor(height / scale / self.factor) * self.factor)
            wide = max(self.factor, math.floor(width / scale / self.factor) * self.factor)
        elif tall * wide < least:
            scale = math.sqrt(least / (height * width))
            tall = math.ceil(height * scale / self.factor) * self.factor
            wide = math.ceil(width * scale / self.factor) * self.factor
        return tall, wide

    def asked(self, size: Size, budget: int | None) -> Size:
        """Size in evaluation with `--max-pixels budget`."""
        most = self.most if budget is None else min(self.most, budget)
        fitted = self.fitted(size, min(self.least, most), most)
        if budget is not None and fitted[0] * fitted[1] > budget:
            fitted = self.fitted(size, 1, budget)
        if budget is not None and fitted[0] * fitted[1] > budget:
            # Very thin frames still exceed it: the longer side is cut down.
            shorter = min(fitted)
            longer = max(self.factor, budget // shorter // self.factor * self.factor)
            fitted = (shorter, longer) if fitted[1] > fitted[0] else (longer, shorter)
        return fitted

    def trained(self, size: Size, least: int, most: int) -> Size:
        """Size in training with `image_min_pixels` least and `image_max_pixels` most."""
        height, width = size
        if height * width > most:
            scale = math.sqrt(most / (height * width))
            height, width = int(height * scale), int(width * scale)
        if height * width < least:
            scale = math.sqrt(least / (height * width))
            height, width = int(height * scale), int(width * scale)
        if min(height, width) < NARROWEST:
            height, width = max(height, NARROWEST), max(width, NARROWEST)
        return self.fitted((height, width), self.least, self.most)

    def tokens(self, size: Size) -> int:
        """Tokens of a frame of a size that one of the above gave."""
        return size[0] * size[1] // self.factor**2


def read_config(checkpoint: Checkpoint, name: str) -> dict[str, Any]:
    """The content of one of a checkpoint's JSON files; empty where it has none of that name."""
    path = checkpoint.file(name)
    return {} if path is None else read_json(path, dict[str, Any])


def processor_limits(checkpoint: Checkpoint) -> Limits | None:
    """The limits in a checkpoint's `preprocessor_config.json`; None for a processor of another kind than Qwen-VL's."""
    config = read_config(checkpoint, "preprocessor_config.json")
    config = config or read_config(checkpoint, "processor_config.json").get("image_processor") or {}
    kind = str(config.get("image_processor_type", ""))
    size = config.get("size") or {}
    least = size.get("shortest_edge", config.get("min_pixels"))
    most = size.get("longest_edge", config.get("max_pixels"))
    if not kind.startswith("Qwen2VL") or not isinstance(least, int) or not isinstance(most, int):
        return None
    factor = int(config.get("patch_size", 14)) * int(config.get("merge_size", 2))
    return Limits(factor=factor, least=least, most=most)
