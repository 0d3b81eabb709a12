"""Loads a model by the auto classes, with the options of the spec."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from egocross_eval.errors import MissingExtraError, UsageError
from egocross_eval.model_adapters.checkpoints.extras import quiet, require
from egocross_eval.model_adapters.checkpoints.processor import not_loaded, short
from egocross_eval.model_adapters.checkpoints.weights import name_faults, names_attention, refuse, value_faults
from egocross_eval.model_adapters.hf.device import resolve_device
from egocross_eval.model_adapters.hf.positions import put_right

if TYPE_CHECKING:
    from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
    from egocross_eval.model_adapters.checkpoints.lora import Lora
    from egocross_eval.model_adapters.hf.options import HfOptions


def load_model(checkpoint: Checkpoint, options: HfOptions, lora: Lora | None = None) -> Any:
    """The model in evaluation mode on its device, a LoRA adapter merged in.

    Raises UsageError naming the checkpoint where it can't be loaded or the adapter doesn't fit it.
    """
    from transformers import AutoModelForImageTextToText

    device = resolve_device(options.device) if options.device_map is None else None
    if options.device_map not in (None, "cpu"):
        resolve_device("auto")  # accelerate would take the CPU without a word
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
    elif device != "cpu" and find_spec("accelerate") is not None:
        arguments["device_map"] = {"": device}  # tensor by tensor: the weights needn't all be in RAM first
    with quiet():
        try:
            model, info = AutoModelForImageTextToText.from_pretrained(
                checkpoint.source, output_loading_info=True, ignore_mismatched_sizes=True, **arguments
            )
        except ImportError as error:
            if "flash" in options.attn and "flash" in str(error).lower():
                raise UsageError(
                    f"attn={options.attn} needs the flash-attn package, or the kernels package, which fetches a built "
                    f"one: {short(error)}"
                ) from error
            raise not_loaded(checkpoint, "model", error) from error
        except Exception as error:  # transformers raises whatever its parts raise
            raise not_loaded(checkpoint, "model", error) from error
        refuse(checkpoint, name_faults(info))
        if lora is not None:
            model = _with_lora(model, lora, checkpoint)
    if device is not None:
        model = model.to(device)
    refuse(checkpoint, value_faults(model.named_parameters()))
    put_right(model)
    return model.eval()


def _with_lora(model: Any, lora: Lora, checkpoint: Checkpoint) -> Any:
    """The model with the adapter merged into its weights."""
    if lora.words:
        _untie(model)
    adapted = _adapted(model, lora, checkpoint)
    from peft import get_peft_model_state_dict
    from peft.utils.save_and_load import load_peft_weights

    weights = load_peft_weights(str(lora.folder), device="cpu")
    _refuse_lost(set(weights), set(get_peft_model_state_dict(adapted)), lora, checkpoint)
    if faults := value_faults(weights.items()):
        raise UsageError(f"lora={lora.folder}: {'; '.join(faults)}")
    try:
        return adapted.merge_and_unload()
    except (RuntimeError, ValueError, NotImplementedError) as error:
        raise UsageError(f"lora={lora.folder} can't be merged into {checkpoint.spec}: {short(error)}") from error


def _untie(model: Any) -> None:
    """Gives the embeddings of words and their scores a matrix each where they share one: what is merged into one of
    them would change the other, which the adapter was trained to leave as it is."""
    import torch

    scores, embeddings = model.get_output_embeddings(), model.get_input_embeddings()
    if scores is not None and scores.weight is embeddings.weight:
        scores.weight = torch.nn.Parameter(scores.weight.detach().clone(), requires_grad=False)
        for config in (model.config, model.config.get_text_config()):
            config.tie_word_embeddings = False


def _adapted(model: Any, lora: Lora, checkpoint: Checkpoint) -> Any:
    """The model with the adapter beside its weights. Raises UsageError where it doesn't fit."""
    try:
        from peft import PeftModel
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
    if any("missing adapter keys" in str(warning.message) for warning in caught):
        raise UsageError(
            f"lora={lora.folder} doesn't fit {checkpoint.spec}: part of its weights has no place there; "
            f"was it trained for another base?"
        )
    return adapted


def _refuse_lost(stored: set[str], placed: set[str], lora: Lora, checkpoint: Checkpoint) -> None:
    """Raises UsageError where more tensors are stored than found a place; peft may have renamed those that did."""
    if len(stored) > len(placed):
        raise UsageError(
            f"lora={lora.folder} doesn't fit {checkpoint.spec}: part of its weights has no place there, e.g. "
            f"{min(stored - placed)}; was it trained for another base?"
        )
