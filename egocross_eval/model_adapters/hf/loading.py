"""Loads a model by the auto classes, with the options of the spec."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from egocross_eval.errors import MissingExtraError, UsageError
from egocross_eval.model_adapters.checkpoints.extras import quiet, require
from egocross_eval.model_adapters.checkpoints.processor import not_loaded, short
from egocross_eval.model_adapters.checkpoints.weights import name_faults, names_attention, refuse, value_faults

if TYPE_CHECKING:
    from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
    from egocross_eval.model_adapters.checkpoints.lora import Lora
    from egocross_eval.model_adapters.hf.options import HfOptions


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


def load_model(checkpoint: Checkpoint, options: HfOptions, lora: Lora | None = None) -> Any:
    """The model in evaluation mode on its device, a LoRA adapter merged in.

    Raises UsageError naming the checkpoint where it can't be loaded or the adapter doesn't fit it.
    """
    from transformers import AutoModelForImageTextToText

    device = resolve_device(options.device)
    arguments: dict[str, Any] = {
        "dtype": options.dtype,
        "revision": options.revision,
        "trust_remote_code": options.trust_remote_code,
        "local_files_only": checkpoint.offline,
    }
    attention = options.attn if options.attn != "auto" else "sdpa" if names_attention(checkpoint) else None
    if attention is not None:
        arguments["attn_implementation"] = attention
    if options.device_map is not None:
        require("accelerate")
        arguments["device_map"] = options.device_map
    with quiet():
        try:
            model, info = AutoModelForImageTextToText.from_pretrained(
                checkpoint.source, output_loading_info=True, ignore_mismatched_sizes=True, **arguments
            )
        except ImportError as error:
            if options.attn == "flash_attention_2" and "flash" in str(error).lower():
                raise UsageError(f"attn=flash_attention_2 needs the flash-attn package: {error}") from error
            raise not_loaded(checkpoint, "model", error) from error
        except Exception as error:  # transformers raises whatever its parts raise
            raise not_loaded(checkpoint, "model", error) from error
        refuse(checkpoint, name_faults(info))
        if lora is not None:
            model = _with_lora(model, lora, checkpoint)
    if options.device_map is None:
        model = model.to(device)
    refuse(checkpoint, value_faults(model.named_parameters()))
    return model.eval()


def _with_lora(model: Any, lora: Lora, checkpoint: Checkpoint) -> Any:
    """The model with the adapter merged into its weights."""
    try:
        from peft import PeftModel, get_peft_model_state_dict
        from peft.utils.save_and_load import load_peft_weights
    except ImportError as error:
        raise MissingExtraError("peft", "hf") from error
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            adapted = PeftModel.from_pretrained(model, str(lora.folder))
        except Exception as error:  # peft raises whatever torch and its own checks raise
            raise UsageError(
                f"lora={lora.folder} doesn't fit {checkpoint.spec}; was it trained for another base? ({short(error)})"
            ) from error
    for warning in caught:
        if "missing adapter keys" in str(warning.message):
            raise UsageError(
                f"lora={lora.folder} doesn't fit {checkpoint.spec}: part of its weights has no place there; "
                f"was it trained for another base?"
            )
    weights = load_peft_weights(str(lora.folder), device="cpu")
    _refuse_lost(set(weights), set(get_peft_model_state_dict(adapted)), lora, checkpoint)
    if faults := value_faults(weights.items()):
        raise UsageError(f"lora={lora.folder}: {'; '.join(faults)}")
    return adapted.merge_and_unload()


def _refuse_lost(stored: set[str], placed: set[str], lora: Lora, checkpoint: Checkpoint) -> None:
    """Raises UsageError where more tensors are stored than found a place; peft may have renamed those that did."""
    if len(stored) > len(placed):
        raise UsageError(
            f"lora={lora.folder} doesn't fit {checkpoint.spec}: part of its weights has no place there, e.g. "
            f"{min(stored - placed)}; was it trained for another base?"
        )
