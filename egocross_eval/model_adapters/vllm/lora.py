"""LoRA adapters as vLLM serves them: beside the base weights, not merged into them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.documents import read_json
from egocross_eval.errors import UsageError

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What `max_lora_rank` may be (vllm.config.lora.MaxLoRARanks)."""


class Lora(msgspec.Struct, frozen=True, kw_only=True):
    """A PEFT adapter on disk."""

    folder: Path
    rank: int
    """The largest rank of its matrices."""

    @property
    def name(self) -> str:
        """What the engine calls it."""
        return self.folder.name

    @property
    def most_rank(self) -> int:
        """The engine's `max_lora_rank` that it needs."""
        return next((rank for rank in RANKS if rank >= self.rank), self.rank)


def read_lora(text: str) -> Lora:
    """The adapter in the folder `text`. Raises UsageError where it's none, or one that vLLM can't serve."""
    folder = Path(text).expanduser().resolve()
    path = folder / "adapter_config.json"
    if not path.is_file():
        what = "has no adapter_config.json, so it is no PEFT adapter" if folder.is_dir() else "is no folder"
        raise UsageError(f"lora={text}: {folder} {what}")
    config = read_json(path, dict[str, Any], what=f"lora={text}:")
    try:
        ranks = [config["r"], *(config.get("rank_pattern") or {}).values()]
        rank = max(int(rank) for rank in ranks)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"lora={text}: {path} can't be read as a PEFT adapter's config: {error!r}") from error
    if config.get("peft_type", "LORA") != "LORA":
        raise UsageError(
            f"lora={text}: it is a {config['peft_type']} adapter, and vLLM serves LoRA alone; "
            f"merge it into the weights, or use hf:"
        )
    if rank > RANKS[-1]:
        raise UsageError(f"lora={text}: rank {rank} is above vLLM's {RANKS[-1]}; merge it into the weights")
    return Lora(folder=folder, rank=rank)
