"""Which LoRA adapters vLLM can serve beside the base weights, the room that it keeps for them, and whether they fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.checkpoints.lora import read_lora
from egocross_eval.model_adapters.checkpoints.lora_weights import check_lora
from egocross_eval.model_adapters.checkpoints.weights import check_folder
from egocross_eval.model_adapters.vllm.engine_options import trusted
from egocross_eval.model_adapters.vllm.extras import older

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
    from egocross_eval.model_adapters.checkpoints.lora import Lora
    from egocross_eval.model_adapters.vllm.adapted_classes import Adapted

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What `max_lora_rank` may be (vllm.config.lora.MaxLoRARanks)."""


TELLS_PATTERNS = (0, 31)
"""First release of vLLM that heeds ranks and factors of single modules; older ones give all modules the same."""

_BASE_CHANGED = ("pissa", "olora", "corda", "loftq")
"""How `init_lora_weights` begins where PEFT changes the base's weights as it loads the adapter."""

_BEYOND = {
    "use_dora": "DoRA",
    "modules_to_save": "whole modules",
    "trainable_token_indices": "words of its own",
    "kasa_config": "KaSA",
    "arrow_config": "a router",
    "lora_bias": "biases",
    "alora_invocation_tokens": "activation by tokens",
    "layer_replication": "repeated layers",
    "use_bdlora": "block-diagonal matrices",
    "use_qalora": "QALoRA",
}
"""Fields of PEFT's config that vLLM can't do where they are set."""


def served_lora(text: str | None, version: tuple[str, str] | None, engine_options: Mapping[str, str]) -> Lora | None:
    """The adapter in a folder. Raises UsageError where it's none, or one that this vLLM can't serve."""
    if text is None:
        return None
    lora = read_lora(text)
    refuse_lora(lora, unserved(lora, version, engine_options))
    weights = lora.folder / "adapter_model.bin"
    if weights.is_file() and not weights.with_suffix(".safetensors").is_file():
        raise UsageError(
            f"lora={text}: its weights are in {weights.name}, where which parts of the model they are for can't be "
            f"looked at, and vLLM leaves out some; have PEFT save it anew as {weights.stem}.safetensors, or use hf:"
        )
    return lora


def unserved(lora: Lora, version: tuple[str, str] | None, engine_options: Mapping[str, str]) -> list[str]:
    """Why this vLLM can't serve an adapter with these options, as far as its config says; empty where it can."""
    if lora.kind != "LORA":
        return [f"it is a {lora.kind} adapter, and vLLM serves LoRA alone"]
    if lora.rank is None:
        return ["its config names no rank (r)"]
    reasons = [f"it has {what} ({field})" for field, what in _BEYOND.items() if lora.config.get(field)]
    if lora.config.get("bias", "none") != "none":
        reasons.append(f"it has biases (bias={lora.config['bias']})")
    start = str(lora.config.get("init_lora_weights", ""))
    if start.lower().startswith(_BASE_CHANGED):
        reasons.append(f"it is for weights that PEFT changes first (init_lora_weights={start})")
    patterns = [name for name in ("rank_pattern", "alpha_pattern") if lora.config.get(name)]
    if patterns and version is not None and older(version[1], TELLS_PATTERNS):
        reasons.append(f"its modules differ in {', '.join(patterns)}, which vLLM {version[1]} doesn't heed")
    return [*reasons, *_too_large(lora.rank, engine_options)]


def _too_large(rank: int, engine_options: Mapping[str, str]) -> list[str]:
    given = engine_options.get("max_lora_rank", "")
    if rank > RANKS[-1]:
        return [f"its rank {rank} is above vLLM's {RANKS[-1]}"]
    if given.isdecimal() and rank > int(given):
        return [f"its rank {rank} is above max_lora_rank={given}, which can be left out"]
    return []


def room_for(lora: Lora) -> int:
    """The engine's `max_lora_rank` that an adapter needs."""
    return next(rank for rank in RANKS if rank >= (lora.rank or 0))


def switches(lora: Lora) -> dict[str, bool]:
    """Engine options that an adapter needs: vLLM leaves weights of the vision tower out unless told otherwise."""
    return {"enable_lora": True, "enable_tower_connector_lora": True} if lora.sees else {"enable_lora": True}


def unadapted(lora: Lora, found: Adapted) -> list[str]:
    """Why vLLM's class of a model can't serve an adapter of it; empty where it can."""
    if not found.text:
        return [f"{found.name} takes no adapters there"]
    return [left_out(found.name)] if lora.sees and not found.tower else []


def left_out(architecture: str) -> str:
    """The reason against an adapter with weights for a vision tower, where vLLM adapts the text model alone."""
    return (
        f"it has weights for the vision tower, and only the text model of {architecture} is adapted there, so they "
        f"would be left out"
    )


def refuse_lora(lora: Lora, reasons: Sequence[str]) -> None:
    """Raises UsageError where there are reasons against an adapter."""
    if reasons:
        raise UsageError(
            f"lora={lora.folder}: vLLM can't serve it: {'; '.join(reasons)}; merge it into the weights, or use hf:"
        )


def check_base(checkpoint: Checkpoint, engine_options: Mapping[str, str]) -> None:
    """Raises UsageError where a checkpoint's weights are not what its architecture asks for: vLLM would put random ones
    in their place, or leave some out, unsaid."""
    check_folder(checkpoint, trust_remote_code=trusted(engine_options))


def check_fits(lora: Lora | None, checkpoint: Checkpoint, engine_options: Mapping[str, str]) -> None:
    """As `check_base`, of an adapter's weights. An engine that serves several has to be asked for each of them."""
    if lora is not None:
        check_lora(lora, checkpoint, trust_remote_code=trusted(engine_options))
