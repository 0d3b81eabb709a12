"""What a file is by its content, told quickly: what importers recognise their tool's logs by, whatever it's called."""

from __future__ import annotations

import codecs
import functools
import io
import json
import zipfile
from pathlib import Path
from typing import Any, Literal

import msgspec

from egocross_eval.errors import EgoCrossError
from egocross_eval.files import LARGEST, read_bytes

Kind = Literal["archive", "mapping", "list", "lines", "table", ""]

ARCHIVE = b"PK\x03\x04"
"""How a zip archive begins."""

_START = 2**16
"""Bytes in which a table's row of names ends."""


class Glimpse(msgspec.Struct, frozen=True):
    """What a file seems to be."""

    kind: Kind = ""
    """A zip archive, a JSON mapping or list, JSON lines, or a table with a row of names; empty for anything else."""
    names: frozenset[str] = frozenset()
    """Members of the archive, fields of the mapping or of the first entry, or columns of the table."""

    @property
    def is_entries(self) -> bool:
        """Whether it may be JSON lines: a single one is a mapping."""
        return self.kind in ("lines", "mapping")

    def has(self, *names: str) -> bool:
        """Whether all those names are there."""
        return self.names.issuperset(names)


def glimpse(path: Path) -> Glimpse:
    """What a file seems to be; nothing for what is no regular file or can't be read."""
    try:
        status = path.stat()
    except OSError:
        return Glimpse()
    return _glimpse(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=8)  # each importer asks
def _glimpse(path: Path, _changed: int, _size: int) -> Glimpse:
    try:
        data = read_bytes(path, limit=LARGEST)
    except EgoCrossError:
        return Glimpse()
    if data.startswith(ARCHIVE):
        return Glimpse("archive", _members(data))
    data = data.removeprefix(codecs.BOM_UTF8).lstrip()
    if data.startswith(b"{"):
        return _mapping(data)
    if data.startswith(b"["):
        return Glimpse("list", _fields(_first(data)))
    return _table(data[:_START])


def _members(data: bytes) -> frozenset[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return frozenset(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return frozenset()


def _mapping(data: bytes) -> Glimpse:
    """A mapping, or lines of them."""
    if fields := _fields(data):
        return Glimpse("mapping", fields)
    first, _, rest = data.partition(b"\n")
    fields = _fields(first) if rest.strip() else frozenset()
    return Glimpse("lines", fields) if fields else Glimpse()


def _first(data: bytes) -> bytes:
    """The first entry of a list; nothing where it has none, or is none."""
    try:
        return bytes(msgspec.json.decode(data, type=list[msgspec.Raw])[0])
    except (msgspec.DecodeError, ValueError, IndexError, RecursionError):
        found = _loaded(data)
        return json.dumps(found[0]).encode() if isinstance(found, list) and found else b""


def _fields(data: bytes) -> frozenset[str]:
    try:
        return frozenset(msgspec.json.decode(data, type=dict[str, msgspec.Raw]))
    except (msgspec.DecodeError, ValueError, RecursionError):
        found = _loaded(data)
        return frozenset(found) if isinstance(found, dict) else frozenset()


def _loaded(data: bytes) -> Any:
    """What Python wrote, NaN and all; None for what isn't JSON even so."""
    try:
        return json.loads(data) if b"NaN" in data or b"Infinity" in data else None
    except (ValueError, RecursionError):
        return None


def _table(data: bytes) -> Glimpse:
    """A table by its row of names, parted by tabs or commas."""
    head = data.partition(b"\n")[0].rstrip(b"\r").decode(errors="replace")
    names = [name.strip('"') for name in head.split("\t" if "\t" in head else ",")]
    return Glimpse("table", frozenset(names)) if len(names) > 1 else Glimpse()
