"""What a checkpoint's processor makes of loaded requests: the tensors that its model takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from egocross_eval.model_adapters.checkpoints.preparation import Loaded, Preparer


def model_inputs(preparer: Preparer, batch: list[Loaded], device: Any = None) -> Any:
    """Token ids and frames of a batch of equal kind, padded on the left: a `BatchFeature`.

    Frames that were scaled already stay as they are, and videos carry the true times of their frames. `device`: where
    frames are processed; None: on the CPU. Raises whatever the processor raises for a prompt that it can't take.
    """
    processor = preparer.processor
    texts = [one.item.text for one in batch]
    arguments: dict[str, Any] = {"text": texts, "return_tensors": "pt", "padding": True}
    bos = processor.tokenizer.bos_token
    if bos is not None and texts[0].startswith(bos):
        arguments["add_special_tokens"] = False  # the chat template has written them
    scaled: dict[str, Any] = {"do_resize": False} | ({} if device is None else {"device": device})
    if batch[0].images:
        arguments["images"] = [one.images for one in batch]
        arguments["images_kwargs"] = preparer.part_settings("image_processor")
        if preparer.image_rule is not None:
            arguments["images_kwargs"] |= scaled
    if batch[0].videos:
        arguments["videos"] = [video for one in batch for video in one.videos]
        metadata = [dict(entry) for one in batch for entry in one.metadata]
        told = preparer.part_settings("video_processor")
        arguments["videos_kwargs"] = told | {"video_metadata": metadata, "do_sample_frames": False}
        if preparer.clip_rule is not None:
            arguments["videos_kwargs"] |= scaled
            if hasattr(processor.video_processor, "cap_pixels_per_frame"):
                # Concerns the resizing that isn't done; left open, it makes transformers warn.
                arguments["videos_kwargs"]["cap_pixels_per_frame"] = False
    return processor(**arguments)
