"""Prompts as conversations in lmms-eval's form: texts and frames in their order."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from egocross_eval.frames.store import scaled_frame
from egocross_eval.schema import ImagePart, Part, Prompt, TextPart

if TYPE_CHECKING:
    from PIL.Image import Image


def conversation(prompt: Prompt) -> list[dict[str, Any]]:
    """The messages of a prompt that shows frames as images, each by its path."""
    return [
        {"role": message.role, "content": [_content(part) for part in message.parts]} for message in prompt.messages
    ]


def _content(part: Part) -> dict[str, str]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    assert isinstance(part, ImagePart), "frames are shown as images"
    return {"type": "image", "url": part.path}


def within_budget(messages: list[dict[str, Any]], max_pixels: int) -> list[dict[str, Any]]:
    """The messages with pictures scaled to a budget in place of paths; 0 leaves the paths."""
    if not max_pixels:
        return messages
    return [{**message, "content": [_within(part, max_pixels) for part in message["content"]]} for message in messages]


def _within(part: dict[str, Any], max_pixels: int) -> dict[str, Any]:
    return part if part["type"] == "text" else {"type": "image", "url": picture(part["url"], max_pixels)}


def picture(path: str, max_pixels: int) -> Image:
    """A frame, decoded and scaled to a budget of pixels; 0: as it is."""
    from PIL import Image

    content, _ = scaled_frame(path, max_pixels or None)
    return Image.open(io.BytesIO(content), formats=("JPEG", "PNG")).convert("RGB")


def words(messages: list[dict[str, Any]]) -> str:
    """The texts alone; messages are parted by an empty line."""
    texts = ("".join(part["text"] for part in one["content"] if part["type"] == "text") for one in messages)
    return "\n\n".join(text for text in texts if text)
