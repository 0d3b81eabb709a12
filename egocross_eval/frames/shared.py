"""Frames that are the same by content, whatever their names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from egocross_eval.frames.store import frame_hash


def owners_of(paths: Iterable[str], owned: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """By each of `paths`, the owners of frames with the very same bytes, for those that have any.

    `owned` are (owner, path) pairs. Only files of equal size are read; missing ones are left out.
    """
    by_size: dict[int, list[str]] = {}
    for path in dict.fromkeys(paths):
        if Path(path).is_file():
            by_size.setdefault(Path(path).stat().st_size, []).append(path)
    owners: dict[str, set[str]] = {}
    sizes: set[int] = set()
    for owner, path in owned:
        try:
            size = Path(path).stat().st_size
        except OSError:
            continue
        if size in by_size:
            sizes.add(size)
            owners.setdefault(frame_hash(path), set()).add(owner)
    found = {path: owners.get(frame_hash(path)) for size in sizes for path in by_size[size]}
    return {path: frozenset(names) for path, names in found.items() if names}
