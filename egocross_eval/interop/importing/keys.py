"""Takes keys out of what another tool kept of its command line, before it reaches a run folder."""

from __future__ import annotations

import re
from typing import Any

from egocross_eval.model_adapters.spec import CREDENTIALS, is_secret

REMOVED = "[removed]"

_PAIR = re.compile(r"(?P<name>[\w-]+)=(?P<value>[^,;&\s]+)")


def without_keys(value: Any) -> Any:
    """The value with `[removed]` in place of what options named as keys are hold, and without users in addresses."""
    if isinstance(value, dict):
        return {
            name: REMOVED if is_secret(str(name)) and inner else without_keys(inner) for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [without_keys(inner) for inner in value]
    return CREDENTIALS.sub("//", _PAIR.sub(_kept, value)) if isinstance(value, str) else value


def _kept(pair: re.Match[str]) -> str:
    return f"{pair['name']}={REMOVED}" if is_secret(pair["name"]) else pair[0]
