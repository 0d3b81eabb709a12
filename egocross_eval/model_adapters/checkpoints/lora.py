"""LoRA adapters on disk, in PEFT's form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.documents import read_json
from egocross_eval.errors import UsageError


class Lora(msgspec.Struct, frozen=True, kw_only=True):
    """A PEFT adapter on disk."""

    folder: Path
    kind: str
    """PEFT's name of it: `LORA`, `IA3` and others."""
    rank: int | None
    """The largest rank of its matrices; None for a kind that has none."""

    @property
    def name(self) -> str:
        """What an engine calls it."""
        return self.folder.name


def read_lora(text: str) -> Lora:
    """The adapter in the folder `text`. Raises UsageError where it's none or its config can't be read."""
    folder = Path(text).expanduser().resolve()
    path = folder / "adapter_config.json"
    if not path.is_file():
        what = "has no adapter_config.json, so it is no PEFT adapter" if folder.is_dir() else "is no folder"
        raise UsageError(f"lora={text}: {folder} {what}")
    config = read_json(path, dict[str, Any], what=f"lora={text}:")
    try:
        ranks = [int(rank) for rank in (config.get("r"), *(config.get("rank_pattern") or {}).values()) if rank]
        kind = str(config.get("peft_type", "LORA"))
    except (ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"lora={text}: {path} can't be read as a PEFT adapter's config: {error!r}") from error
    return Lora(folder=folder, kind=kind, rank=max(ranks, default=None))
