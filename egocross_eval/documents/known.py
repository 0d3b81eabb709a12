"""The names and values that a document of a kind can have at a place."""

from __future__ import annotations

import re
from typing import Any

import msgspec


def known_names(kind: Any, place: str) -> list[str]:
    """At a place in a document of that kind, the names of its fields, or the values that it can have."""
    if kind is None:
        return []
    found = [msgspec.inspect.type_info(kind)]
    for name, _ in steps(place):
        found = [inner for one in found for inner in _inside(one, name)]
    return [str(value) for one in found for value in _names(one)]


def steps(place: str) -> list[tuple[str, str]]:
    """A path such as `$.train[3].set[...]` as its names and the numbers in brackets, one of each pair being empty."""
    return re.findall(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]", place)


def _inside(info: msgspec.inspect.Type, name: str) -> list[msgspec.inspect.Type]:
    """The type of a field of that name, or of entries where it's empty."""
    inner: list[msgspec.inspect.Type] = []
    match info:
        case msgspec.inspect.StructType(fields=fields) if name:
            inner = [field.type for field in fields if field.encode_name == name]
        case msgspec.inspect.DictType(value_type=value) if not name:
            inner = [value]
        case msgspec.inspect.CollectionType(item_type=item) if not name:
            inner = [item]
    return [
        one for found in inner for one in (found.types if isinstance(found, msgspec.inspect.UnionType) else [found])
    ]


def _names(info: msgspec.inspect.Type) -> list[object]:
    match info:
        case msgspec.inspect.StructType(fields=fields):
            return [field.encode_name for field in fields]
        case msgspec.inspect.LiteralType(values=values):
            return list(values)
        case msgspec.inspect.Metadata(type=inner):
            return _names(inner)
    return []
