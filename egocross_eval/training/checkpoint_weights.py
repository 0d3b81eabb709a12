"""Whether the weight files of a checkpoint are whole, and in which precision they are."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.documents import read_json
from egocross_eval.errors import DataError


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
            lacking = {tensor for tensor, place in places.items() if place == name} - set(_header(path))
            if lacking:
                wrong.append(f"{name} lacks {len(lacking)} tensors, e.g. {min(lacking)}")
    return wrong


def _header(path: Path) -> dict[str, Any]:
    """The header of a safetensors file: tensor names with type, shape and place (format: 8 bytes length, then JSON)."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > path.stat().st_size:
            raise ValueError("the header is longer than the file")
        header: dict[str, Any] = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return header


def _torn(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
        end = max((entry["data_offsets"][1] for entry in _header(path).values()), default=0)
    except (OSError, ValueError, KeyError, struct.error) as error:
        return [f"{path.name} can't be read: {error}"]
    size = path.stat().st_size
    return [] if size == 8 + length + end else [f"{path.name} has {size} bytes instead of {8 + length + end}"]


def most_frequent_dtype(folder: Path) -> str:
    """Precision that most bytes of the weight files have; empty where they can't be read."""
    names = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}
    sizes: dict[str, int] = {}
    for path in folder.glob("*.safetensors"):
        try:
            for entry in _header(path).values():
                start, end = entry["data_offsets"]
                sizes[entry["dtype"]] = sizes.get(entry["dtype"], 0) + end - start
        except (OSError, ValueError, KeyError, struct.error):
            return ""
    return names.get(max(sizes, key=lambda key: sizes[key]), "") if sizes else ""
