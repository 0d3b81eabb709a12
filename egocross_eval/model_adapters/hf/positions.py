"""Positions of the text behind a video, as the models of the Qwen2-VL kind were trained with them."""

from __future__ import annotations

import functools
import inspect
from itertools import pairwise
from typing import Any

KINDS = ("qwen2_vl", "qwen2_5_vl")
"""Model types that read a video as one block, in which time has positions of its own."""

VIDEO = 2
"""In `mm_token_type_ids`."""


def put_right(model: Any) -> None:
    """Lets text go on behind the last moment of a video.

    transformers 5 counts on from a video's height and width alone, so that text behind a long one has positions within
    it. In the code that came with these models, and in vLLM, it goes on behind the largest. Where the installed version
    does so too, nothing changes.
    """
    core: Any = getattr(model, "model", None)
    whole = getattr(core, "get_rope_index", None)
    if model.config.model_type not in KINDS or whole is None:
        return
    signature = inspect.signature(whole)
    if not {"input_ids", "mm_token_type_ids", "attention_mask"} <= signature.parameters.keys():
        return

    @functools.wraps(whole)
    def get_rope_index(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        positions, deltas = whole(*args, **kwargs)
        given = signature.bind(*args, **kwargs).arguments
        mask = given.get("attention_mask")
        for row, kinds in enumerate(given["mm_token_type_ids"]):
            tokens = slice(None) if mask is None else mask[row].bool()
            moved = _moved(positions[:, row, tokens], kinds[tokens])
            positions[:, row, tokens] = moved
            deltas[row] = moved.max() + 1 - moved.shape[1]
        return positions, deltas

    core.get_rope_index = get_rope_index


def _moved(positions: Any, kinds: Any) -> Any:
    """The positions of one prompt, shape (3, tokens), with whatever stands behind a video behind all of it."""
    positions = positions.clone()
    changes = [place for place, (one, other) in enumerate(pairwise(kinds.tolist()), start=1) if one != other]
    start = 0
    for end in changes:
        if kinds[start] == VIDEO:
            gap = positions[:, start:end].max() + 1 - positions[:, end].min()
            positions[:, end:] += gap.clamp(min=0)
        start = end
    return positions
