"""Whether a checkpoint's weights are what its architecture asks for: random ones would take the place of others unsaid.

What is missing and what has no place is told by transformers, which knows what an architecture ties, computes or leaves
out. Engines that load by themselves have their checkpoint compared without any weights in memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from egocross_eval.errors import DataError, UsageError
from egocross_eval.model_adapters.checkpoints.extras import quiet
from egocross_eval.model_adapters.checkpoints.weight_files import read_header

if TYPE_CHECKING:
    from pathlib import Path

    from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint

SHOWN = 3
"""Tensors named for each fault."""

MOST_READ = 64 * 2**30
"""Bytes of a checkpoint's files up to which their values are looked at before an engine loads them."""

WRAPPERS = {
    "module.": "it was saved from a model in DDP or DeepSpeed; save the model inside",
    "_orig_mod.": "it was saved from a compiled model; save the model inside",
    "_fsdp_wrapped_module.": "it was saved from a model in FSDP; save its full state dict",
    "base_model.": "it was saved with an unmerged PEFT adapter; merge it first, or give the adapter by lora=",
    "lora_A.": "it was saved with an unmerged PEFT adapter; merge it first, or give the adapter by lora=",
}
"""Parts of tensor names that a wrapper leaves, and what to do."""

_ATTENTION = ("_attn_implementation", "attn_implementation", "_attn_implementation_internal")


def name_faults(info: dict[str, Any]) -> list[str]:
    """What transformers' loading info says is wrong, in words; empty where every tensor has its place."""
    missing = sorted(info.get("missing_keys", ()))
    homeless = sorted(info.get("unexpected_keys", ()))
    other_shapes = [f"{key[0]} {_shape(key[1])} for {_shape(key[2])}" for key in info.get("mismatched_keys", ())]
    faults = []
    if missing:
        faults.append(f"{len(missing)} missing ({some(missing)})")
    if homeless:
        faults.append(f"{len(homeless)} without a place ({some(homeless)})")
    if other_shapes:
        faults.append(f"{len(other_shapes)} of another shape ({some(sorted(other_shapes))})")
    if faults:
        faults.append(_cause(missing, homeless, bool(other_shapes)))
    return faults


def value_faults(weights: Iterable[tuple[str, Any]]) -> list[str]:
    """What is wrong with the values of named tensors, in words: none at all, NaN or infinite ones."""
    empty: list[str] = []
    broken: list[str] = []
    for name, tensor in weights:
        if tensor.is_meta:
            continue
        if tensor.numel() == 0:
            empty.append(name)
        elif tensor.is_floating_point() and tensor.dtype.itemsize > 1 and not _finite(tensor):
            broken.append(f"{name}, {str(tensor.dtype).removeprefix('torch.')}")
    faults = []
    if empty:
        faults.append(f"{len(empty)} of size 0 ({some(empty)}): save them gathered from all processes")
    if broken:
        faults.append(f"{len(broken)} with NaN or infinite values ({some(broken)}): training diverged or overflowed")
    return faults


def _finite(tensor: Any) -> bool:
    """Whether all numbers are: then their sum in float32 is too, as no layer's add up to 3e38."""
    import torch

    return bool(torch.isfinite(tensor.detach().sum(dtype=torch.float32)))


def folder_faults(
    checkpoint: Checkpoint, *, like: Checkpoint | None = None, trust_remote_code: bool = False
) -> list[str]:
    """All of the above for a checkpoint in a folder, without loading it; empty where nothing is wrong or can be told.

    Tensors that are those of `like` in name and shape need no further look.
    """
    if checkpoint.folder is None or find_spec("torch") is None:
        return []
    same = like is not None and like.folder is not None and _shapes(like.folder) == _shapes(checkpoint.folder)
    loaded = None if same else without_memory(checkpoint, trust_remote_code)
    named = name_faults(loaded[1]) if loaded else []
    return named or value_faults(stored(checkpoint.folder))


def names_attention(checkpoint: Checkpoint) -> bool:
    """Whether its `config.json` names an implementation of attention: it may be code from the Hub, so ours is used."""
    nested = [value for value in checkpoint.config.values() if isinstance(value, dict)]
    return any(part.get(name) for part in (checkpoint.config, *nested) for name in _ATTENTION)


def _shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of all tensors by name; files that can't be read are left out."""
    found: dict[str, tuple[int, ...]] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with suppress(DataError):
            found |= {name: tensor.shape for name, tensor in read_header(path).tensors.items()}
    return found


def without_memory(checkpoint: Checkpoint, trust_remote_code: bool = False) -> tuple[Any, dict[str, Any]] | None:
    """A checkpoint's model without memory and transformers' loading info; None where nothing can be told.

    That is so of a name on the Hub, without transformers, and where transformers doesn't know the architecture.
    """
    if checkpoint.folder is None or find_spec("torch") is None or find_spec("transformers") is None:
        return None
    from transformers import AutoModelForImageTextToText

    with quiet():
        try:
            model, info = AutoModelForImageTextToText.from_pretrained(
                checkpoint.source,
                device_map="meta",
                attn_implementation="eager",
                output_loading_info=True,
                ignore_mismatched_sizes=True,
                trust_remote_code=trust_remote_code,
            )
        except Exception:  # the engine itself is the judge of what transformers can't load
            return None
    return model, dict(info)


def check_folder(checkpoint: Checkpoint, *, trust_remote_code: bool = False) -> None:
    """Raises UsageError where `folder_faults` finds some."""
    refuse(checkpoint, folder_faults(checkpoint, trust_remote_code=trust_remote_code))


def refuse(checkpoint: Checkpoint, faults: list[str]) -> None:
    """Raises UsageError naming the checkpoint and its faults, if there are any."""
    if faults:
        architecture = next(iter(checkpoint.config.get("architectures") or []), "its architecture")
        raise UsageError(f"{checkpoint.spec}: its weights are not those of {architecture}: {'; '.join(faults)}")


def stored(folder: Path) -> Iterable[tuple[str, Any]]:
    """Every tensor of the safetensors files, one after the other."""
    from safetensors import safe_open

    paths = sorted(folder.glob("*.safetensors"))
    if sum(path.stat().st_size for path in paths) > MOST_READ:
        return
    for path in paths:
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - this object can't be iterated over
                yield name, file.get_tensor(name)


def _cause(missing: list[str], homeless: list[str], other_shapes: bool) -> str:
    """The likeliest reason and what helps."""
    for mark, cause in WRAPPERS.items():
        if any(f".{mark}" in f".{name}" for name in homeless):
            return cause
    if missing and homeless:
        return "the names are those of another architecture, or of another release of transformers: save it by this one"
    if other_shapes:
        return "config.json is another model's"
    if missing:
        return "not everything was saved: were weights left out or a file lost?"
    return "config.json names another architecture, or layers that it doesn't have"


def some(names: list[str]) -> str:
    """The first few, and that there are others."""
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


def _shape(shape: Any) -> str:
    return "x".join(str(length) for length in shape) or "a number"
