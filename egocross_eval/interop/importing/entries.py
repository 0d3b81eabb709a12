"""Fields of entries that other tools wrote: asked for by name and kind, and missed by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from egocross_eval.counted import counted
from egocross_eval.documents import cited, decode_json
from egocross_eval.errors import DataError
from egocross_eval.files import read_bytes

T = TypeVar("T")

_NO_NUMBERS = re.compile(rb"\b(NaN|Infinity)\b")

_WORDS = {str: "a text", int: "a whole number", list: "a list", dict: "a mapping", float: "a number"}


def log_entry(data: bytes, where: str) -> dict[str, Any]:
    """The mapping in `data`. Python writes numbers that are none as NaN, which is no JSON: they are None here."""
    try:
        return decode_json(data, dict[str, Any], where)
    except DataError:
        if not _NO_NUMBERS.search(data):
            raise
        try:
            plain = json.dumps(json.loads(data, parse_constant=lambda name: None)).encode()
        except (ValueError, RecursionError):
            plain = data
        return decode_json(plain, dict[str, Any], where)


def log_file(path: Path) -> dict[str, Any]:
    """The mapping in a file, as `log_entry` reads it."""
    return log_entry(read_bytes(path), str(path))


def log_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line of a file with its place, as `log_entry` reads it; empty ones are left out."""
    for number, line in enumerate(read_bytes(path).split(b"\n"), 1):
        if line.strip():
            yield f"{path.name}, line {number}", log_entry(line, f"{path}, line {number}")


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
            raise DataError(
                f"{where} has {counted(len(value), 'output')}; logs of one output to each question are imported"
            )
        value = value[0]
    if not isinstance(value, str):
        raise DataError(f"{where}: the output is {cited(value)}, not a text")
    return value


def asked_text(value: Any) -> str:
    """The words of a request: a text, the first within lists and mappings, or those of a chat's messages, which may
    stand as JSON in a text. Empty for anything else."""
    while isinstance(value, list | dict) and value:
        if isinstance(value, list) and all(isinstance(one, dict) and "content" in one for one in value):
            return "\n".join(message_text(one["content"]) for one in value)
        value = value[0] if isinstance(value, list) else next(iter(value.values()))
    if not isinstance(value, str):
        return ""
    try:
        messages = json.loads(value) if value.lstrip().startswith("[") else None
    except (ValueError, RecursionError):
        messages = None
    return asked_text(messages) or value if isinstance(messages, list) else value


def message_text(content: Any) -> str:
    """A message's text: itself, or those of its parts that are text."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


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
