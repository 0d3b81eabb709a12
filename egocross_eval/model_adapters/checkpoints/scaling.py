"""How large a frame is shown to a model: the processor's own limits together with the run's pixel budget.

Processors of the Qwen-VL kind scale a frame to whole patches within limits of pixel counts. For them the final size is
computed here, with the processor's own function, and each frame is scaled as soon as it's decoded, with the processor's
own interpolation: the values are those that the processor would give, at a fraction of the memory. All other
processors get the frame as it is, or scaled down to the budget, and do what they do with it.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from egocross_eval.frames.store import fitting_size
from egocross_eval.model_adapters.checkpoints.pixel_limits import within_budget

Size = tuple[int, int]
"""(height, width) in pixels."""

_IMAGE_ARGUMENTS = {"height", "width", "factor", "min_pixels", "max_pixels"}
_CLIP_ARGUMENTS = _IMAGE_ARGUMENTS | {"num_frames", "temporal_factor"}
_MODULES = ("transformers.models.qwen2_vl.", "transformers.models.qwen3_vl.")


class PatchRule(msgspec.Struct, frozen=True, kw_only=True):
    """The limits and the sizing function of a processor of the Qwen-VL kind."""

    factor: int
    """Side of the square of pixels that one token covers."""
    frames_per_patch: int
    least: int
    """Fewest pixels: of a frame, or of all frames of a clip together where `counts_clip`."""
    most: int
    resize: Callable[..., Size]
    counts_clip: bool
    interpolation: Any
    """torchvision's interpolation mode."""

    def frame_size(self, size: Size, budget: int | None) -> Size:
        """Size of a single frame: within the processor's limits, and never above the budget of pixels.

        The smallest frame is one token; a budget below that can't be met. Raises ValueError for a frame more than 200
        times as long as it's wide.
        """
        least, most = (self.least, self.most) if budget is None else within_budget(self.least, self.most, budget)
        scaled = self._resized(size, least=least, most=most)
        if budget is not None and scaled[0] * scaled[1] > budget:
            # Rounding up to the lower limit went above the budget: the budget wins.
            scaled = self._resized(size, least=1, most=budget)
        return scaled if budget is None else self._clamped(scaled, budget)

    def clip_size(self, count: int, size: Size, budget: int | None) -> Size:
        """Size of each frame of a clip of `count` frames (at least two)."""
        if not self.counts_clip:
            return self.frame_size(size, budget)
        if budget is None:
            return self._resized(size, least=self.least, most=self.most, count=count)
        # The limits of the whole clip can't express a budget of each frame, as they round the number of frames.
        frame = self._clamped(
            self._resized(size, least=1, most=budget, count=self.frames_per_patch, share=True), budget
        )
        return self._resized(frame, least=1, most=self.most, count=count)

    def tokens(self, size: Size, count: int = 1) -> int:
        """Tokens of `count` frames of a size that one of the above gave, markers left out."""
        patches = -(-count // self.frames_per_patch) if count > 1 else 1
        return patches * size[0] * size[1] // self.factor**2

    def _resized(self, size: Size, *, least: int, most: int, count: int = 0, share: bool = False) -> Size:
        arguments: dict[str, int] = {"height": size[0], "width": size[1], "factor": self.factor}
        frames = 1
        if self.counts_clip:
            arguments |= {"num_frames": count, "temporal_factor": self.frames_per_patch}
            frames = count if share else 1
        height, width = self.resize(**arguments, min_pixels=least * frames, max_pixels=most * frames)
        return int(height), int(width)

    def _clamped(self, size: Size, budget: int) -> Size:
        """Shortens the longer side until the budget holds: the sizing function lets very thin frames exceed it."""
        height, width = size
        if height * width <= budget:
            return size
        shorter = min(height, width)
        longer = max(self.factor, budget // shorter // self.factor * self.factor)
        return (shorter, longer) if width > height else (longer, shorter)


def patch_rule(part: Any) -> PatchRule | None:
    """The rule of an image or video processor of the Qwen-VL kind (Qwen2-VL to Qwen3-VL); None for any other."""
    module = type(part).__module__
    if not module.startswith(_MODULES) or not part.do_resize or getattr(part, "cap_pixels_per_frame", None):
        return None
    if getattr(part, "backend", "torchvision") != "torchvision":
        return None
    function = getattr(sys.modules[module], "smart_resize", None)
    arguments = set(inspect.signature(function).parameters) if function is not None else set()
    interpolation = _interpolation(part.resample)
    if function is None or interpolation is None or arguments not in (_IMAGE_ARGUMENTS, _CLIP_ARGUMENTS):
        return None
    return PatchRule(
        factor=part.patch_size * part.merge_size,
        frames_per_patch=part.temporal_patch_size,
        least=part.size["shortest_edge"],
        most=part.size["longest_edge"],
        resize=function,
        counts_clip=arguments == _CLIP_ARGUMENTS,
        interpolation=interpolation,
    )


@functools.cache
def _interpolation(resample: Any) -> Any:
    from torchvision.transforms.v2.functional import InterpolationMode

    names = {0: "NEAREST", 2: "BILINEAR", 3: "BICUBIC"}  # Pillow's numbers
    if isinstance(resample, InterpolationMode):
        return resample
    name = names.get(int(resample)) if resample is not None else None
    return InterpolationMode[name] if name else None


def shrunk(size: Size, budget: int | None) -> Size:
    """The largest whole size of about the same shape with at most `budget` pixels."""
    height, width = size
    if budget is None or height * width <= budget:
        return size
    width, height = fitting_size(width, height, budget)
    return height, width
