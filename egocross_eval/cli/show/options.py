"""Options of plugins' parts, for programs."""

from __future__ import annotations

import msgspec

from egocross_eval.model_adapters.spec import option_rows


def option_records(options: type[msgspec.Struct] | None) -> list[dict[str, str]]:
    """Name, type, default and description of each option of a struct."""
    return [dict(zip(("name", "type", "default", "description"), row, strict=True)) for row in option_rows(options)]
