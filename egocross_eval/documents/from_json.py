"""JSON and JSON lines as values of a wanted kind."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from egocross_eval.documents.faults import explained
from egocross_eval.documents.text import cited, decode_text, named_file
from egocross_eval.errors import DataError
from egocross_eval.files import LARGEST, read_bytes

T = TypeVar("T")


def decode_json(data: bytes, kind: type[T], where: str) -> T:
    """The JSON in `data` as `kind`. A `DataError` begins with `where` and names the entry and field, or the line."""
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        decode_text(data, where)
        raise DataError(f"{where}: {explained(error)}{_entry_name(data, str(error))}") from error
    except RecursionError:
        raise DataError(f"{where} is nested too deeply") from None
    except (msgspec.DecodeError, ValueError) as error:
        decode_text(data, where)
        raise DataError(f"{where} is no valid JSON: {_json_place(data, str(error))}") from None


def read_json(path: Path, kind: type[T], *, what: str = "", limit: int = LARGEST) -> T:
    """The content of a JSON file as `kind`; errors as `decode_json` and `read_bytes` raise them."""
    return decode_json(read_bytes(path, limit=limit), kind, named_file(path, what))


def decode_json_lines(data: bytes, kind: type[T], where: str) -> Iterator[tuple[int, T]]:
    """The number of each line of a JSON lines file and what it holds, empty lines left out; errors name the line."""
    for number, line in enumerate(data.removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
        if line.strip():
            yield number, decode_json(line, kind, f"{where}, line {number}")


def decode_entries(data: bytes, kind: type[T], where: str) -> list[T]:
    """The entries of a JSON list, or of JSON lines, whichever it is."""
    first = data.removeprefix(codecs.BOM_UTF8).lstrip().partition(b"\n")[0].rstrip()
    if first.startswith(b"{") and first.endswith(b"}"):
        return [entry for _, entry in decode_json_lines(data, kind, where)]
    return decode_json(data, list[kind], where)  # type: ignore[valid-type]


def refuse_repeated_keys(data: bytes, where: str) -> None:
    """Raises `DataError` where a mapping of the valid JSON in `data` has a key twice: only the last one would count."""
    import json

    def pairs(found: list[tuple[str, object]]) -> dict[str, object]:
        content: dict[str, object] = {}
        for key, value in found:
            if key in content:
                raise DataError(f"{where}: {cited(key)} is there twice")
            content[key] = value
        return content

    try:
        json.loads(data, object_pairs_hook=pairs)
    except RecursionError:
        raise DataError(f"{where} is nested too deeply") from None


def _entry_name(data: bytes, message: str) -> str:
    """The id of the entry of a list that a message points at by its place, as a clause."""
    match = re.search(r"`\$\[(\d+)\]", message)
    if match is None:
        return ""
    try:
        entry: Any = msgspec.json.decode(data)[int(match[1])]
    except (msgspec.DecodeError, RecursionError, ValueError):
        return ""  # what comes behind the entry isn't even JSON
    name = (
        next((entry[key] for key in ("id", "question_id") if key in entry), None) if isinstance(entry, dict) else None
    )
    return "" if name is None else f" (id {cited(name)})"


def _json_place(data: bytes, message: str) -> str:
    match = re.search(r"\(byte (\d+)\)", message)
    if match is None:
        return (
            "it is empty" if not data.strip() else "it is cut off" if "truncated" in message else "is it another file?"
        )
    before = data[: int(match[1])]
    line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
    rest = cited(data[int(match[1]) :][:20].decode(errors="replace"))
    return f"line {line}, column {column}, at {rest}"
