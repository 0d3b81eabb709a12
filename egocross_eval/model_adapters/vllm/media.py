"""Which media a run's requests hold, as vLLM wants to know it before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egocross_eval.schema import ImagePart, VideoPart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from egocross_eval.schema import Prompt

MOST_IMAGES = 999
"""Images a request may hold, vLLM's own default."""


def shown_kind(prompt: Prompt) -> str:
    """What a prompt shows: `video`, `image`, or nothing."""
    parts = [part for message in prompt.messages for part in message.parts]
    if any(isinstance(part, VideoPart) for part in parts):
        return "video"
    return "image" if any(isinstance(part, ImagePart) for part in parts) else ""


def media_limits(prompt: Prompt) -> dict[str, int]:
    """`limit_mm_per_prompt` for a run whose prompts show the same kind of media as this one."""
    if shown_kind(prompt) == "video":
        return {"image": 0, "video": 1}
    return {"image": MOST_IMAGES, "video": 0}


def processor_settings(told: Mapping[str, Any]) -> dict[str, Any]:
    """What vLLM's `mm_processor_kwargs` tell the processor's parts."""
    left = dict(told)
    parts = [left.pop(name, None) for name in ("images_kwargs", "videos_kwargs")]
    return left | {name: value for part in parts if isinstance(part, dict) for name, value in part.items()}
