"""Which media a run's requests hold, as vLLM wants to know it before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egocross_eval.schema import VideoPart

if TYPE_CHECKING:
    from egocross_eval.schema import Prompt

MOST_IMAGES = 999
"""Images a request may hold, vLLM's own default."""


def media_limits(prompt: Prompt) -> dict[str, int]:
    """`limit_mm_per_prompt` for a run whose prompts show the same kind of media as this one."""
    if any(isinstance(part, VideoPart) for message in prompt.messages for part in message.parts):
        return {"image": 0, "video": 1}
    return {"image": MOST_IMAGES, "video": 0}
