"""Whether the weight files of a checkpoint are whole, and in which precision they are."""

from __future__ import annotations

from pathlib import Path

import msgspec

from egocross_eval.counted import counted
from egocross_eval.documents import read_json
from egocross_eval.errors import DataError
from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
from egocross_eval.model_adapters.checkpoints.weight_files import read_header
from egocross_eval.training.frame_sizes import read_config


class _Index(msgspec.Struct):
    weight_map: dict[str, str]


def incomplete_shards(folder: Path) -> list[str]:
    """What is missing of a checkpoint's safetensors files, in words."""
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        path = folder / "model.safetensors"
        return _torn(path) if path.is_file() else ["there is no model.safetensors"]
    try:
        places = read_json(index, _Index).weight_map
    except DataError as error:
        return [str(error)]
    wrong: list[str] = []
    for name in sorted(set(places.values())):
        path = folder / name
        if not path.is_file():
            wrong.append(f"{name} is missing")
            continue
        torn = _torn(path)
        wrong += torn
        if not torn:
            lacking = {tensor for tensor, place in places.items() if place == name} - set(read_header(path).tensors)
            if lacking:
                wrong.append(f"{name} lacks {counted(len(lacking), 'tensor')}, e.g. {min(lacking)}")
    return wrong


def _torn(path: Path) -> list[str]:
    try:
        expected = read_header(path).size
    except DataError as error:
        return [str(error)]
    size = path.stat().st_size
    return [] if size == expected else [f"{path.name} has {counted(size, 'byte')} instead of {expected}"]


def most_frequent_dtype(folder: Path) -> str:
    """Precision that most bytes of the weight files have; empty where they can't be read."""
    names = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}
    sizes: dict[str, int] = {}
    for path in folder.glob("*.safetensors"):
        try:
            for tensor in read_header(path).tensors.values():
                start, end = tensor.data_offsets
                sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + end - start
        except DataError:
            return ""
    return names.get(max(sizes, key=lambda key: sizes[key]), "") if sizes else ""


def stored_dtype(checkpoint: Checkpoint) -> str:
    """Precision in which a checkpoint says that it's stored."""
    config = read_config(checkpoint, "config.json")
    text = config.get("text_config") or {}
    found = config.get("dtype") or config.get("torch_dtype") or text.get("dtype") or text.get("torch_dtype") or ""
    return str(found).removeprefix("torch.")
