"""The models of a sweep: specs, some of which are patterns of checkpoints."""

from __future__ import annotations

import glob
import os
from pathlib import Path

import msgspec

from egocross_eval.contracts.registry import registry
from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.spec import PATHS, ModelSpec, adapter_type, parse_spec
from egocross_eval.natural_order import natural_key


def swept_models(texts: list[str], base: Path) -> list[ModelSpec]:
    """The models that specs name; a target or `lora=` with a wildcard is a pattern of folders or files.

    What a pattern left open names the model, behind the spec's own name or scheme. Relative paths are seen from `base`;
    checkpoints come in the order of the numbers in their names. Raises `UsageError` for a malformed spec and for a
    pattern that nothing matches.
    """
    return [model for text in texts for model in _carried(parse_spec(text), base)]


def _carried(spec: ModelSpec, base: Path) -> list[ModelSpec]:
    """The models of a spec; where an adapter carries another (`ray:hf:...`), the paths are that one's."""
    if not adapter_type(spec, registry()).carries:
        return _expanded(spec, base)
    inner = msgspec.structs.replace(parse_spec(spec.target), options=spec.options, name=spec.name)
    return [
        msgspec.structs.replace(one, scheme=spec.scheme, target=f"{one.scheme}:{one.target}")
        for one in _expanded(inner, base)
    ]


def _expanded(spec: ModelSpec, base: Path) -> list[ModelSpec]:
    places = {"target": spec.target, **{key: spec.options[key] for key in PATHS if key in spec.options}}
    patterns = {place: value for place, value in places.items() if glob.has_magic(value)}
    if len(patterns) > 1:
        raise UsageError(f"{spec.text}: one pattern to a model, not two")
    names = set() if adapter_type(spec, registry()).takes_paths else {"target"}
    for place in places.keys() - patterns.keys() - names:
        spec = _with(spec, place, _seen_from(places[place], base))
    if not patterns:
        return [spec]
    ((place, pattern),) = patterns.items()
    found = _matches(pattern, base)
    if not found:
        raise UsageError(f"{spec.scheme}:{pattern}: nothing matches the pattern, seen from {base}")
    return [
        msgspec.structs.replace(
            _with(spec, place, str(path)),
            name=f"{spec.name} {left_open}" if spec.name else f"{spec.scheme}:{left_open}",
        )
        for path, left_open in found
    ]


def _with(spec: ModelSpec, place: str, value: str) -> ModelSpec:
    if place == "target":
        return msgspec.structs.replace(spec, target=value)
    return msgspec.structs.replace(spec, options=spec.options | {place: value})


def _seen_from(value: str, base: Path) -> str:
    """An absolute path where a relative one leads to something below `base`; names stay."""
    path = base / value
    return os.path.abspath(path) if value and path.exists() else value  # noqa: PTH100 - a link keeps its name


def _matches(pattern: str, base: Path) -> list[tuple[Path, str]]:
    """Each match as an absolute path, and the part of it that the pattern left open."""
    parts = Path(pattern).parts
    fixed = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    start = Path(os.path.abspath(base / Path(*parts[:fixed])))  # noqa: PTH100 - as above
    found = glob.glob(str(Path(*parts[fixed:])), root_dir=start, recursive=True)  # noqa: PTH207 - relative names
    return [(start / name, name.rstrip("/")) for name in sorted(found, key=natural_key)]
