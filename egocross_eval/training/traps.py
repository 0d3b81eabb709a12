"""Arguments that LLaMA-Factory takes and can't do, or does in a way that misleads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from egocross_eval.errors import UsageError

_EVALUATES = "nothing is evaluated while training; evaluate the kept checkpoints on what --holdout holds out"

_REFUSED = {
    "do_eval": _EVALUATES,
    "do_predict": _EVALUATES,
    "load_best_model_at_end": _EVALUATES,
    "max_samples": "LLaMA-Factory leaves out the examples behind it; --limit N draws them",
    "neat_packing": "steps and memory would be others than the plan says, and Qwen-VL's positions of packed examples "
    "need flash attention",
    "packing": "the examples of a packed row see each other, and steps and memory would be others than the plan says",
    "pissa_init": "PEFT takes the base's weights apart anew, by chance, whenever it loads such an adapter, so that its "
    "answers would differ from run to run",
    "predict_with_generate": _EVALUATES,
    "val_size": "LLaMA-Factory splits by example, so that one source video lies on both sides; hold examples out by "
    "--holdout or --folds",
}
"""Arguments that are set, and why they can't be."""

_ONLY: dict[str, tuple[Any, tuple[Any, ...], str]] = {
    "do_train": (False, (True,), "LLaMA-Factory would train nothing"),
    "eval_strategy": ("no", ("no",), _EVALUATES),
    "finetuning_type": ("lora", ("lora", "full", "freeze"), "what it makes is neither a LoRA adapter nor a checkpoint"),
    "stage": ("sft", ("sft",), "the dataset is made of questions and answers, for supervised fine-tuning alone"),
}
"""LLaMA-Factory's default of an argument, the values that it can have here, and why no other."""

_PARTS = {"freeze_vision_tower": True, "freeze_multi_modal_projector": True, "freeze_language_model": False}
"""Parts of a model, and LLaMA-Factory's defaults."""


def check_traps(arguments: Mapping[str, Any], model_type: str) -> None:
    """Refuses them, with a `UsageError`."""
    if arguments.get("enable_liger_kernel") and model_type.startswith("qwen3_vl"):
        raise UsageError(
            "enable_liger_kernel: LLaMA-Factory has no Liger kernels for Qwen3-VL; their gain, no scores of the whole "
            "vocabulary at every token, is had without them"
        )
    for name, reason in _REFUSED.items():
        if arguments.get(name):
            raise UsageError(f"{name}: {reason}")
    for name, (default, allowed, reason) in _ONLY.items():
        value = arguments.get(name, default)
        if value is not None and value not in allowed:
            raise UsageError(f"{name}={_word(value)}: {reason}; take {' or '.join(map(_word, allowed))}")
    if arguments.get("bf16") and arguments.get("fp16"):
        raise UsageError("bf16 and fp16 exclude each other: --set bf16=false with --set fp16=true")
    if all(arguments.get(name, default) for name, default in _PARTS.items()):
        raise UsageError(f"{', '.join(_PARTS)}: everything is frozen, so that nothing would be learnt")


def _word(value: Any) -> str:
    """A value as `--set` takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)[:80]
