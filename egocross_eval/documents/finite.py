"""Numbers that JSON can't have."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec


def not_finite(value: object) -> str:
    """Where in a value that JSON is made of a number is infinite or none at all, which JSON would have as null: such as
    `decision.scores.A is inf`; empty where none is."""
    kind = type(value)
    if kind is float:
        return "" if math.isfinite(value) else f" is {value}"  # type: ignore[arg-type]
    # By exact types first: it's asked of every sample.
    if value is None or kind is str or kind is int or kind is bool:
        return ""
    for name, entry in _entries(value):
        if found := not_finite(entry):
            return f"{name}{'' if found.startswith(' ') else '.'}{found}"
    return ""


def _entries(value: object) -> Iterable[tuple[object, object]]:
    """What is in a struct, mapping or list, by name or place."""
    if isinstance(value, msgspec.Struct):
        return [(name, getattr(value, name)) for name in value.__struct_fields__]
    if isinstance(value, Mapping):
        return value.items()
    return enumerate(value) if isinstance(value, list | tuple) else ()
