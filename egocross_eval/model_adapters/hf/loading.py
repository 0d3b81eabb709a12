"""Loads a processor and a model by the auto classes, with the options of the spec."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from egocross_eval.errors import MissingExtraError, UsageError
from egocross_eval.model_adapters.hf.extras import quiet, require

if TYPE_CHECKING:
    from egocross_eval.model_adapters.hf.checkpoint import Checkpoint
    from egocross_eval.model_adapters.hf.options import HfOptions


def check_lora(folder: str) -> Path:
    """The folder of a PEFT adapter. Raises UsageError where it isn't one."""
    path = Path(folder).expanduser().resolve()
    if not (path / "adapter_config.json").is_file():
        what = "has no adapter_config.json, so it is no PEFT adapter" if path.is_dir() else "is no folder"
        raise UsageError(f"lora={folder}: {path} {what}")
    return path


def resolve_device(name: str) -> str:
    """The device to use: `auto` takes a CUDA GPU, else Apple's, else the CPU. Raises UsageError for an absent one."""
    import torch

    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if name == "auto":
        return "cuda" if available["cuda"] else "mps" if available["mps"] else "cpu"
    kind, _, index = name.partition(":")
    if kind not in available:
        raise UsageError(f"device={name} is unknown; use auto, cpu, cuda, cuda:N or mps")
    if not available[kind] or (kind == "cuda" and index and int(index) >= torch.cuda.device_count()):
        there = [known for known, usable in available.items() if usable]
        raise UsageError(f"device={name} is not there: this PyTorch sees {', '.join(there)}")
    return name


def load_processor(checkpoint: Checkpoint, options: HfOptions) -> Any:
    """The checkpoint's processor, with a tokenizer that pads on the left.

    Raises UsageError naming the checkpoint where it can't be loaded, and MissingExtraError without transformers.
    """
    require()
    from transformers import AutoProcessor

    try:
        processor = AutoProcessor.from_pretrained(
            checkpoint.source, revision=options.revision, trust_remote_code=options.trust_remote_code
        )
    except Exception as error:  # transformers raises whatever its parts raise
        raise _not_loaded(checkpoint, "processor", error) from error
    tokenizer = getattr(processor, "tokenizer", None)
    if tokenizer is None or not any(hasattr(processor, part) for part in ("image_processor", "video_processor")):
        raise UsageError(f"{checkpoint.spec}: its processor ({type(processor).__name__}) takes no images with text")
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return processor


def load_model(checkpoint: Checkpoint, options: HfOptions) -> Any:
    """The model in evaluation mode on its device, a LoRA adapter merged in.

    Raises UsageError naming the checkpoint where it can't be loaded or the adapter doesn't fit it.
    """
    from transformers import AutoModelForImageTextToText

    device = resolve_device(options.device)
    arguments: dict[str, Any] = {
        "dtype": options.dtype,
        "revision": options.revision,
        "trust_remote_code": options.trust_remote_code,
    }
    if options.attn != "auto":
        arguments["attn_implementation"] = options.attn
    if options.device_map is not None:
        require("accelerate")
        arguments["device_map"] = options.device_map
    with quiet():
        try:
            model = AutoModelForImageTextToText.from_pretrained(checkpoint.source, **arguments)
        except ImportError as error:
            if options.attn == "flash_attention_2" and "flash" in str(error).lower():
                raise UsageError(f"attn=flash_attention_2 needs the flash-attn package: {error}") from error
            raise _not_loaded(checkpoint, "model", error) from error
        except Exception as error:  # transformers raises whatever its parts raise
            raise _not_loaded(checkpoint, "model", error) from error
        if options.lora is not None:
            model = _with_lora(model, check_lora(options.lora), checkpoint)
    if options.device_map is None:
        model = model.to(device)
    return model.eval()


def _with_lora(model: Any, folder: Path, checkpoint: Checkpoint) -> Any:
    """The model with the adapter merged into its weights."""
    try:
        from peft import PeftModel
    except ImportError as error:
        raise MissingExtraError("peft", "hf") from error
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            adapted = PeftModel.from_pretrained(model, str(folder))
        except Exception as error:  # peft raises whatever torch and its own checks raise
            raise UsageError(
                f"lora={folder} doesn't fit {checkpoint.spec}; was it trained for another base? ({_short(error)})"
            ) from error
    for warning in caught:
        if "missing adapter keys" in str(warning.message):
            raise UsageError(
                f"lora={folder} doesn't fit {checkpoint.spec}: part of its weights has no place there; "
                f"was it trained for another base?"
            )
    return adapted.merge_and_unload()


def _not_loaded(checkpoint: Checkpoint, what: str, error: Exception) -> UsageError:
    hint = ""
    if "trust_remote_code" in str(error):
        hint = "; it brings its own code: read it, then add trust_remote_code=true"
    elif "does not recognize this architecture" in str(error) or "Unrecognized" in str(error):
        hint = "; this transformers doesn't know the architecture: upgrade it, or the checkpoint takes no images"
    return UsageError(f"{checkpoint.spec}: its {what} can't be loaded ({_short(error)}){hint}")


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:400]}"
