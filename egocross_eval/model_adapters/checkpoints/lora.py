"""LoRA adapters on disk, in PEFT's form."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.documents import read_json
from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.checkpoints.weight_files import read_header

_SEEING = re.compile(r"visual|vision|image|merger|projector|connector|aligner|perceiver", re.IGNORECASE)
"""In the names of modules that aren't the text model's."""


class Lora(msgspec.Struct, frozen=True, kw_only=True):
    """A PEFT adapter on disk."""

    folder: Path
    kind: str
    """PEFT's name of it: `LORA`, `IA3` and others."""
    rank: int | None
    """The largest rank of its matrices; None for a kind that has none."""
    sees: bool = False
    """Whether it has weights for the parts that see: the vision tower, or what connects it to the text model."""

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
    _refuse_left_out(text, folder, config)
    return Lora(folder=folder, kind=kind, rank=max(ranks, default=None), sees=_sees(folder))


def _sees(folder: Path) -> bool:
    path = folder / "adapter_model.safetensors"
    names = read_header(path).tensors if path.is_file() else {}
    return any(_SEEING.search(name) for name in names)


def _refuse_left_out(text: str, folder: Path, config: dict[str, Any]) -> None:
    """Raises UsageError where the adapter has weights for modules that its own config leaves out.

    Whatever loads it drops such weights without a word. `target_modules` by PEFT's rule: a regular expression for the
    whole name, or a list of names or ends of names.
    """
    targets = config.get("target_modules")
    path = folder / "adapter_model.safetensors"
    if not targets or targets == "all-linear" or not path.is_file():
        return
    names = read_header(path).tensors
    modules = {name.partition(".lora_")[0].removeprefix("base_model.model.") for name in names if ".lora_" in name}
    lost = sorted(module for module in modules if not _targeted(module, targets))
    if lost:
        raise UsageError(
            f"lora={text}: {len(lost)} of the modules that it has weights for are not among its target_modules, e.g. "
            f"{lost[0]}: these weights would be left out; put right {folder / 'adapter_config.json'}"
        )


def _targeted(module: str, targets: Any) -> bool:
    if isinstance(targets, str):
        return re.fullmatch(targets, module) is not None
    return any(module == target or module.endswith(f".{target}") for target in targets)
