"""Which LoRA adapters vLLM can serve beside the base weights, the room that it keeps for them, and whether they fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.checkpoints.lora import read_lora
from egocross_eval.model_adapters.checkpoints.lora_weights import check_lora
from egocross_eval.model_adapters.checkpoints.weights import check_folder
from egocross_eval.model_adapters.vllm.engine_options import trusted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
    from egocross_eval.model_adapters.checkpoints.lora import Lora

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What `max_lora_rank` may be (vllm.config.lora.MaxLoRARanks)."""


def served_lora(text: str | None) -> Lora | None:
    """The adapter in a folder. Raises UsageError where it's none, or one that vLLM can't serve."""
    if text is None:
        return None
    lora = read_lora(text)
    if lora.kind != "LORA":
        raise UsageError(
            f"lora={text}: it is a {lora.kind} adapter, and vLLM serves LoRA alone; merge it into the weights, or use "
            f"hf:"
        )
    if lora.rank is None:
        raise UsageError(f"lora={text}: {lora.folder / 'adapter_config.json'} names no rank (r)")
    if lora.rank > RANKS[-1]:
        raise UsageError(f"lora={text}: rank {lora.rank} is above vLLM's {RANKS[-1]}; merge it into the weights")
    weights = lora.folder / "adapter_model.bin"
    if weights.is_file() and not weights.with_suffix(".safetensors").is_file():
        raise UsageError(
            f"lora={text}: its weights are in {weights.name}, where which parts of the model they are for can't be "
            f"looked at, and vLLM leaves out some; have PEFT save it anew as {weights.stem}.safetensors, or use hf:"
        )
    return lora


def room_for(lora: Lora) -> int:
    """The engine's `max_lora_rank` that an adapter needs."""
    return next(rank for rank in RANKS if rank >= (lora.rank or 0))


def switches(lora: Lora) -> dict[str, bool]:
    """Engine options that an adapter needs: vLLM leaves weights of the vision tower out unless told otherwise."""
    return {"enable_lora": True, "enable_tower_connector_lora": True} if lora.sees else {"enable_lora": True}


def not_served(lora: Lora, architecture: str) -> UsageError:
    """The error of an adapter with weights for a vision tower, where vLLM adapts the text model alone."""
    return UsageError(
        f"lora={lora.folder}: it has weights for the vision tower, and vLLM adapts only the text model of "
        f"{architecture}, so they would be left out; merge it into the weights, or use hf:"
    )


def check_weights(checkpoint: Checkpoint, lora: Lora | None, engine_options: Mapping[str, str]) -> None:
    """Raises UsageError where a checkpoint's or adapter's weights are not what the architecture asks for: vLLM would
    put random ones in their place, or leave some out, unsaid."""
    trust = trusted(engine_options)
    check_folder(checkpoint, trust_remote_code=trust)
    if lora is not None:
        check_lora(lora, checkpoint, trust_remote_code=trust)
