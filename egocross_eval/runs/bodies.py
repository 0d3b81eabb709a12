"""How large requests get that carry their frames in base64."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from egocross_eval.counted import counted
from egocross_eval.errors import DataError
from egocross_eval.frames.pictures import FrameError
from egocross_eval.frames.store import scaled_frame

if TYPE_CHECKING:
    from egocross_eval.runs.plan import RunPlan

AROUND_FRAME = 80
"""Bytes of JSON around a frame."""


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """The largest request, as far as its frames go."""

    size: int = 0
    """Bytes."""
    question: str = ""
    """Its number and how many frames it has."""


def largest_body(plan: RunPlan, *, jpeg: bool, above: int) -> Body:
    """The largest request of a plan whose frames are sent as they are stored, or scaled to its pixel budget.

    Files are never smaller than what is sent of them; only where they come to more than `above` bytes are frames
    scaled, to know how large they are then. Frames that can't be read count nothing.
    """
    largest = Body()
    for question in plan.questions:
        try:
            approach = plan.approach(question)
            paths = approach.renderer.render(question, plan.root).frame_paths()
        except DataError:
            continue
        size = sum(_encoded(_stored(path)) for path in paths)
        if size > above:
            size = sum(_encoded(_sent(path, approach.options.prompt.max_pixels, jpeg=jpeg)) for path in paths)
        if size > largest.size:
            largest = Body(size=size, question=f"{question.id} ({counted(len(paths), 'frame')})")
    return largest


def _encoded(size: int) -> int:
    return 4 * -(-size // 3) + AROUND_FRAME if size else 0


def _stored(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def _sent(path: str, max_pixels: int | None, *, jpeg: bool) -> int:
    try:
        return len(scaled_frame(path, max_pixels, jpeg=jpeg)[0])
    except FrameError:
        return 0
