"""From a loaded request to what the engine takes: text, frames with their identities, and the processor's settings."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from egocross_eval.schema import VideoPart

if TYPE_CHECKING:
    from egocross_eval.model_adapters.hf.preparation import Item, Loaded, PlannedClip, PlannedFrame, Preparer
    from egocross_eval.model_adapters.hf.scaling import PatchRule
    from egocross_eval.schema import Request

BYTES_PER_PIXEL = 27
"""Memory of a pixel under way: three bytes decoded, and 24 as a processor's patches (three float32 values, twice, as
Qwen-VL's patches span two frames)."""

MOST_IMAGES = 999
"""Images a request may hold, vLLM's own default."""


def frame_bytes(item: Item) -> int:
    """Memory that the frames of a planned request take while it's under way."""
    frames = [*item.images, *(frame for clip in item.clips for frame in clip.frames)]
    return BYTES_PER_PIXEL * sum(frame.size[0] * frame.size[1] for frame in frames)


def engine_prompt(loaded: Loaded, preparer: Preparer) -> dict[str, Any]:
    """A prompt in vLLM's form (`vllm.inputs.TextPrompt`).

    Frames that were scaled already stay as they are. Every frame carries the hash of its file and its size as its
    identity, so that the engine processes equal frames once; a native video carries its frames' true times.
    """
    item = loaded.item
    prompt: dict[str, Any] = {"prompt": item.text}
    data: dict[str, Any] = {}
    identities: dict[str, list[str]] = {}
    if loaded.images:
        data["image"] = loaded.images
        identities["image"] = [_frame_identity(frame) for frame in item.images]
    if loaded.videos:
        data["video"] = [
            (video.numpy(), {**metadata, "do_sample_frames": False})
            for video, metadata in zip(loaded.videos, loaded.metadata, strict=True)
        ]
        identities["video"] = [_clip_identity(clip) for clip in item.clips]
    if not data:
        return prompt
    prompt["multi_modal_data"] = data
    if item.request.frame_hashes:
        prompt["multi_modal_uuids"] = identities
    settings: dict[str, Any] = {}
    if loaded.images and preparer.image_rule is not None:
        settings["images_kwargs"] = {"do_resize": False}
    if loaded.videos:
        settings["videos_kwargs"] = {"do_sample_frames": False}
        if preparer.clip_rule is not None:
            settings["videos_kwargs"]["do_resize"] = False
    if settings:
        prompt["mm_processor_kwargs"] = settings
    return prompt


def _frame_identity(frame: PlannedFrame) -> str:
    return f"{frame.key}-{frame.size[0]}x{frame.size[1]}"


def _clip_identity(clip: PlannedClip) -> str:
    frames = " ".join(_frame_identity(frame) for frame in clip.frames)
    return hashlib.sha256(f"{frames} {clip.indices} {clip.fps}".encode()).hexdigest()


def media_arguments(request: Request, image_rule: PatchRule | None) -> dict[str, Any]:
    """Engine arguments that follow from what a run shows: which media, how many, and how large frames get.

    With a pixel budget, the engine needs to keep room for frames of that size only, and not for the largest that the
    processor takes. `request` stands for all of a run: they show the same kind of media under the same budget.
    """
    prompt = request.prompt
    videos = any(isinstance(part, VideoPart) for message in prompt.messages for part in message.parts)
    if videos:
        return {"limit_mm_per_prompt": {"image": 0, "video": 1}}
    arguments: dict[str, Any] = {"limit_mm_per_prompt": {"image": MOST_IMAGES, "video": 0}}
    if prompt.max_pixels is not None and image_rule is not None:
        most = min(image_rule.most, max(prompt.max_pixels, image_rule.factor**2))
        size = {"shortest_edge": min(image_rule.least, most), "longest_edge": most}
        arguments["mm_processor_kwargs"] = {"images_kwargs": {"size": size}}
    return arguments
