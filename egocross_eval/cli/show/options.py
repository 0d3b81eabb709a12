"""Options of plugins' parts, for programs."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class OptionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An option of an adapter, a method or an exporter."""

    name: str
    type: str
    default: str
    """As it would be typed; empty where there is none."""
    description: str


def option_entries(rows: Sequence[tuple[str, str, str, str]]) -> list[OptionEntry]:
    """Of the rows that are shown to people."""
    return [OptionEntry(name=row[0], type=row[1], default=row[2], description=row[3]) for row in rows]
