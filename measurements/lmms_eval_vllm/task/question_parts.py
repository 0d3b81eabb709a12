"""What lmms-eval asks of a task: the texts and pictures of a question, in the order in which the prompt has them.

A document is a line of the file that `questions.py` writes: `parts` are texts, and frames with their path and the size
(height, width) that the model is to see.
"""

from __future__ import annotations

from typing import Any


def messages_with_scaled_frames(doc: dict[str, Any]) -> list[dict[str, Any]]:
    """The conversation for lmms-eval's chat models, frames in their final size."""
    return _messages(doc, scaled=True)


def messages_with_whole_frames(doc: dict[str, Any]) -> list[dict[str, Any]]:
    """The conversation for lmms-eval's chat models, frames as they are."""
    return _messages(doc, scaled=False)


def scaled_frames(doc: dict[str, Any]) -> list[Any]:
    """The pictures for lmms-eval's simple models, in their final size."""
    return [_picture(part, scaled=True) for part in doc["parts"] if part["path"]]


def whole_frames(doc: dict[str, Any]) -> list[Any]:
    """The pictures for lmms-eval's simple models, as they are."""
    return [_picture(part, scaled=False) for part in doc["parts"] if part["path"]]


def text(doc: dict[str, Any]) -> str:
    """The words of the prompt without the pictures, which simple models send before or after them."""
    return "".join(part["text"] for part in doc["parts"] if not part["path"])


def results(_: dict[str, Any], answers: list[str]) -> dict[str, float]:
    """Every question counts as answered: scoring isn't what is compared here."""
    return {"answered": float(len(answers) == 1)}


def _messages(doc: dict[str, Any], *, scaled: bool) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = []
    for part in doc["parts"]:
        if part["path"]:
            content.append({"type": "image", "url": _picture(part, scaled=scaled)})
        else:
            content.append({"type": "text", "text": part["text"]})
    return [{"role": "user", "content": content}]


def _picture(part: dict[str, Any], *, scaled: bool) -> Any:
    """The decoded frame as a Pillow image; scaled by torchvision as the checkpoint's processor does it."""
    import numpy as np
    import torch
    from PIL import Image
    from torchvision.transforms.v2 import InterpolationMode, functional

    with Image.open(part["path"]) as opened:
        picture = opened.convert("RGB")
    if not scaled:
        return picture
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    size = [part["height"], part["width"]]
    smaller = functional.resize(pixels, size, interpolation=InterpolationMode.BICUBIC, antialias=True)
    return Image.fromarray(smaller.permute(1, 2, 0).contiguous().numpy())
