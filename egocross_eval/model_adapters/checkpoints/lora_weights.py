"""Whether an adapter's weights fit the model that they are for: engines leave out what has no place, unsaid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.checkpoints.weight_files import read_header
from egocross_eval.model_adapters.checkpoints.weights import some, stored, value_faults, without_memory

if TYPE_CHECKING:
    from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
    from egocross_eval.model_adapters.checkpoints.lora import Lora

_PREFIX = "base_model.model."
"""What PEFT puts before the name of a module."""


def check_lora(lora: Lora, checkpoint: Checkpoint, *, trust_remote_code: bool = False) -> None:
    """Raises UsageError where weights of the adapter have no place in the checkpoint's model, another shape, or values
    that are no numbers. Nothing is said of what can't be told: see `weights.without_memory`."""
    faults = _misplaced(lora, checkpoint, trust_remote_code) or value_faults(stored(lora.folder))
    if faults:
        raise UsageError(f"lora={lora.folder} doesn't fit {checkpoint.spec}: {'; '.join(faults)}")


def check_mergeable(lora: Lora, checkpoint: Checkpoint) -> None:
    """Raises UsageError where no checkpoint of this architecture could hold what the merged model computes.

    Where the embeddings of words are their scores as well, merging into one changes the other.
    """
    loaded = without_memory(checkpoint) if lora.parts_words else None
    if loaded is None:
        return
    scores, embeddings = loaded[0].get_output_embeddings(), loaded[0].get_input_embeddings()
    if scores is not None and scores.weight is embeddings.weight:
        raise UsageError(
            f"{lora.folder} can't be merged: it adapts the embeddings or the scores of words, and in {checkpoint.spec} "
            f"these are one matrix (tie_word_embeddings); use it unmerged, by lora="
        )


def _misplaced(lora: Lora, checkpoint: Checkpoint, trust_remote_code: bool) -> list[str]:
    loaded = without_memory(checkpoint, trust_remote_code)
    path = lora.folder / "adapter_model.safetensors"
    if loaded is None or not path.is_file():
        return []
    places = {_end(name): module for name, module in loaded[0].named_modules()}
    homeless, other_shapes = [], []
    for module, shape in _shapes(read_header(path).tensors):
        weight = getattr(places.get(_end(module)), "weight", None)
        if weight is None:
            homeless.append(module)
        elif tuple(weight.shape) != shape:
            other_shapes.append(module)
    faults = []
    if homeless:
        faults.append(f"{len(homeless)} of its modules have no place there ({some(sorted(homeless))})")
    if other_shapes:
        faults.append(f"{len(other_shapes)} are of another shape ({some(sorted(other_shapes))})")
    return [*faults, "was it trained for another base?"] if faults else []


def _shapes(tensors: dict[str, Any]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Modules that an adapter has a pair of matrices for, and the shape of what these amount to."""
    for name, tensor in tensors.items():
        module, mark, rest = name.partition(".lora_B.")
        into = tensors.get(f"{module}.lora_A.{rest}")
        if mark and into is not None and len(tensor.shape) == len(into.shape) == 2:
            yield module.removeprefix(_PREFIX), (tensor.shape[0], into.shape[1])


def _end(module: str) -> str:
    """A module's name from its first number's list on: what stands before it changed between releases."""
    parts = module.split(".")
    number = next((place for place, part in enumerate(parts) if part.isdigit()), 0)
    # The tower is kept: language and vision models both have blocks or layers.
    tower = "visual." if "visual" in parts or "vision_tower" in parts else ""
    return tower + ".".join(parts[max(0, number - 1) :])
