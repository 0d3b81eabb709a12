"""Whether a tracker can be used at all, told before a run starts."""

from __future__ import annotations

import importlib
import netrc
from typing import Any

from egocross_eval.errors import UsageError
from egocross_eval.reachable import reachable


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


def refuse_unreachable(name: str, server: str) -> None:
    """Raises `UsageError` where a tracker's server takes no connection: its client would try for minutes."""
    address = server if "://" in server else f"https://{server}"
    if not reachable(address):
        raise UsageError(f"--track {name}: no server answers at {address}; look at the network, or use mode=offline")


def has_login(host: str) -> bool:
    """Whether the user's .netrc has a key for a host."""
    try:
        return netrc.netrc().authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False
