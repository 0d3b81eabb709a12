"""Loads a checkpoint's processor by the auto class."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from egocross_eval.errors import UsageError, did_you_mean
from egocross_eval.model_adapters.checkpoints.extras import require

if TYPE_CHECKING:
    from collections.abc import Mapping

    from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint


def load_processor(
    checkpoint: Checkpoint, *, trust_remote_code: bool = False, settings: Mapping[str, Any] = MappingProxyType({})
) -> Any:
    """The checkpoint's processor, with a tokenizer that pads on the left; `settings` of its image and video parts.

    Raises UsageError naming the checkpoint where it can't be loaded or has no such setting, and MissingExtraError
    without transformers.
    """
    require()
    from transformers import AutoProcessor

    try:
        processor = AutoProcessor.from_pretrained(
            checkpoint.source,
            revision=checkpoint.revision,
            trust_remote_code=trust_remote_code,
            local_files_only=checkpoint.offline,
        )
    except Exception as error:  # transformers raises whatever its parts raise
        raise not_loaded(checkpoint, "processor", error) from error
    tokenizer = getattr(processor, "tokenizer", None)
    if tokenizer is None or not any(hasattr(processor, part) for part in ("image_processor", "video_processor")):
        raise UsageError(f"{checkpoint.spec}: its processor ({type(processor).__name__}) takes no images with text")
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    _set(processor, settings, checkpoint)
    return processor


def _set(processor: Any, settings: Mapping[str, Any], checkpoint: Checkpoint) -> None:
    """Gives the parts of a processor that have a setting another value of it."""
    parts = [getattr(processor, name, None) for name in ("image_processor", "video_processor")]
    for name, value in settings.items():
        having = [part for part in parts if part is not None and hasattr(part, name) and not name.startswith("_")]
        if not having:
            known = sorted({one for part in parts if part is not None for one in part.to_dict()})
            raise UsageError(
                f"{checkpoint.spec}: its processor has no setting {name!r}{did_you_mean(name, known)}; "
                f"it has {', '.join(known)}"
            )
        for part in having:
            setattr(part, name, value)


def not_loaded(checkpoint: Checkpoint, what: str, error: Exception) -> UsageError:
    """The error of a processor or model that transformers can't load, with what helps where that's known."""
    hint = ""
    if "trust_remote_code" in str(error):
        hint = "; it brings its own code: read it, then add trust_remote_code=true"
    elif "does not recognize this architecture" in str(error) or "Unrecognized" in str(error):
        hint = "; this transformers doesn't know the architecture: upgrade it, or the checkpoint takes no images"
    return UsageError(f"{checkpoint.spec}: its {what} can't be loaded ({short(error)}){hint}")


def short(error: Exception) -> str:
    """An error in one line of bounded length."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:400]}"
