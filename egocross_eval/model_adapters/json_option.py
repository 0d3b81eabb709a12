"""Options whose value is a JSON object."""

from __future__ import annotations

from typing import Any

import msgspec

from egocross_eval.errors import UsageError


def json_object(scheme: str, name: str, text: str, *, example: str) -> dict[str, Any]:
    """The object that an option holds; empty where it isn't given. Raises UsageError where it's none."""
    if not text:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise UsageError(
            f"{scheme}: {name}={text!r} is not a JSON object ({error}); write e.g. {name}={example}, "
            f"with a backslash before each comma within it"
        ) from error
