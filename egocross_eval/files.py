"""Finds and reads the benchmark's JSON files; whatever is wrong with one is said with its name and the item's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from egocross_eval.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

T = TypeVar("T")

_INDEX = re.compile(r"`\$\[(\d+)\]")


def find_file(root: Path, given: Path | None, candidates: Sequence[str]) -> Path | None:
    """`given` if there is one (it must exist), else the first of `candidates` below `root` that exists, else None."""
    if given is not None:
        if not given.is_file():
            raise DataError(f"the file {str(given)!r} does not exist")
        return given
    for candidate in candidates:
        path = root / candidate
        if path.is_file():
            return path
    return None


def read_bytes(path: Path) -> bytes:
    """The contents of a file, or a `DataError` that names it."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror or error}") from error


def decode_list(path: Path, data: bytes, item: type[T]) -> list[T]:
    """The JSON list in `data`, each entry an `item`. A `DataError` names the file, the field and the entry's id."""
    try:
        return msgspec.json.decode(data, type=list[item])  # type: ignore[valid-type]
    except msgspec.ValidationError as error:
        raise DataError(f"{path}: {error}{_entry_id(data, str(error))}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not valid JSON (cut off, or another file?): {error}") from error
    except RecursionError as error:
        raise DataError(f"{path} is nested too deeply to be a file of the benchmark") from error


def _entry_id(data: bytes, message: str) -> str:
    """The id of the entry that msgspec's message points at by its place, as a clause."""
    match = _INDEX.search(message)
    if match is None:
        return ""
    place = int(match[1])
    try:
        entry: Any = msgspec.json.decode(data)[place]
    except (msgspec.DecodeError, RecursionError):
        return f" (entry {place + 1} of the list)"  # what comes behind the entry isn't even JSON
    number = entry.get("id") if isinstance(entry, dict) else None
    return f" (entry {place + 1} of the list{f', id {number}' if isinstance(number, int) else ''})"
