"""From a loaded request to what the engine takes: text, frames with their identities, and settings."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.checkpoints.pixel_limits import size_setting
from egocross_eval.model_adapters.requests import choices, request_seed
from egocross_eval.model_adapters.vllm.media import media_limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from egocross_eval.model_adapters.checkpoints.preparation import Item, Loaded, PlannedClip, PlannedFrame, Preparer
    from egocross_eval.model_adapters.checkpoints.scaling import PatchRule
    from egocross_eval.schema import Request

BYTES_PER_PIXEL = 9
"""Memory of a pixel under way that is scaled here: three bytes decoded, and six as a processor's patches (three bytes,
twice, as Qwen-VL's patches span two frames; vLLM makes numbers of them on the GPU)."""

DECODED, FLOAT = 3, 4
"""Otherwise: bytes of a pixel, and of each number that a processor makes of it, in float32."""

SCALING = frozenset({"do_resize", "size", "min_pixels", "max_pixels"})
"""Settings by which a processor scales frames."""

UNKNOWN = 6
"""Numbers assumed for a pixel where a processor couldn't be asked: three colours, twice."""

LONGEST_LABEL = 16
"""Tokens that a constrained answer may take at least: a letter and the end need fewer."""


def frame_bytes(item: Item, *, keeps_bytes: bool) -> int:
    """Memory that the frames of a planned request take while it's under way.

    `keeps_bytes`: whether the engine leaves patches as bytes until they are on the GPU.
    """
    frames = [*item.images, *(frame for clip in item.clips for frame in clip.frames)]
    pixels = sum(frame.size[0] * frame.size[1] for frame in frames)
    if keeps_bytes and all(frame.exact for frame in frames):
        return BYTES_PER_PIXEL * pixels
    return DECODED * pixels + FLOAT * (item.values or UNKNOWN * pixels)


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
    limits = media_limits(prompt)
    arguments: dict[str, Any] = {"limit_mm_per_prompt": limits}
    if limits["video"]:
        return arguments
    if prompt.max_pixels is not None and image_rule is not None:
        # A frame takes one token at least, whatever the budget.
        size = size_setting(image_rule.least, image_rule.most, max(prompt.max_pixels, image_rule.factor**2))
        arguments["mm_processor_kwargs"] = {"images_kwargs": {"size": size}}
    return arguments


def refuse_scaling(told: Mapping[str, Any], image_rule: PatchRule | None) -> None:
    """Raises UsageError where `mm_processor_kwargs` would scale frames that are scaled before the engine gets them."""
    names = told.keys() | (told.get("images_kwargs") or {}).keys()
    scaling = sorted(names & SCALING) if image_rule is not None else []
    if scaling:
        raise UsageError(
            f"vllm: mm_processor_kwargs= can't set {', '.join(scaling)}: this model's frames are scaled before the "
            f"engine gets them; use --max-pixels"
        )


def sampling(item: Item, *, streamed: bool = False) -> Any:
    """vLLM's sampling parameters for a planned request; `streamed`: the engine tells of each token.

    Nothing of the checkpoint's own sampling settings counts: the run's decide alone.
    """
    from vllm.sampling_params import RequestOutputKind, SamplingParams, StructuredOutputsParams

    request = item.request
    settings = request.settings
    told = RequestOutputKind.CUMULATIVE if streamed else RequestOutputKind.FINAL_ONLY
    if settings.answer_mode == "choose":
        return SamplingParams(
            temperature=0.0,
            max_tokens=1,
            logprob_token_ids=[token for ids in item.labels.values() for token in ids],
            detokenize=False,
            output_kind=told,
        )
    labels = choices(request) if settings.answer_mode == "constrained" else ()
    # A token is a byte at least.
    longest = max((len(label.encode()) + 1 for label in labels), default=0)
    return SamplingParams(
        temperature=settings.temperature,
        top_p=settings.top_p,
        seed=request_seed(request) if settings.temperature > 0 else None,
        max_tokens=max(LONGEST_LABEL, longest) if labels else settings.max_new_tokens,
        structured_outputs=StructuredOutputsParams(choice=list(labels)) if labels else None,
        logprobs=0 if labels else None,  # of the tokens taken alone: NaN there shows that nothing was compared
        output_kind=told,
    )
