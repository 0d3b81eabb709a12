"""Whether a tracker can be used at all, told before a run starts."""

from __future__ import annotations

import importlib
import netrc
from typing import Any

from egocross_eval.errors import UsageError


def library(name: str) -> Any:
    """A tracker's own package. Raises `UsageError` where it isn't installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UsageError(
            f"--track {name}: the package {name!r} can't be imported ({error}); pip install {name}"
        ) from None


def needed_target(name: str, target: str, form: str) -> str:
    """What stands behind the colon; a `UsageError` where there's nothing."""
    if not target:
        raise UsageError(f"--track {name} needs its place: {name}:{form}")
    return target


def has_login(host: str) -> bool:
    """Whether the user's .netrc has a key for a host."""
    try:
        return netrc.netrc().authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False
