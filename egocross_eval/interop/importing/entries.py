"""Fields of entries that other tools wrote: asked for by name and kind, and missed by name."""

from __future__ import annotations

from typing import Any, TypeVar

from egocross_eval.documents import cited
from egocross_eval.errors import DataError

T = TypeVar("T")

_WORDS = {str: "a text", int: "a whole number", list: "a list", dict: "a mapping", float: "a number"}


def needed(entry: dict[str, Any], name: str, kind: type[T], where: str) -> T:
    """The field of that name. Raises `DataError`, beginning with `where`, if it isn't there or of another kind."""
    if name not in entry:
        raise DataError(f"{where} has no {name!r}")
    value = entry[name]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise DataError(f"{where}: {name!r} is {cited(value)}, not {_WORDS[kind]}")
    return value


def optional(entry: dict[str, Any], name: str, kind: type[T], default: T) -> T:
    """The field of that name, or the default where it isn't there or of another kind."""
    value = entry.get(name)
    return value if isinstance(value, kind) and not isinstance(value, bool) else default


def first_text(value: Any, where: str) -> str:
    """The one output in a text or in nested lists of one. Raises `DataError` for several and for anything else."""
    while isinstance(value, list):
        if len(value) != 1:
            raise DataError(f"{where} has {len(value)} outputs; logs of one output to each question are imported")
        value = value[0]
    if not isinstance(value, str):
        raise DataError(f"{where}: the output is {cited(value)}, not a text")
    return value


def count(value: Any) -> int | None:
    """A number of tokens, or None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def question_name(entry: dict[str, Any]) -> str:
    """The question that an entry names by `question_id` (or `question_key`); empty where it names none."""
    for key in ("question_id", "question_key"):
        value = entry.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return str(value)
    return ""
