"""The contract of a tracker: something of others that follows a run while it goes on (`--track`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from egocross_eval.contracts.event import Event


class TrackerType(msgspec.Struct, frozen=True, kw_only=True):
    """A registered tracker."""

    name: str
    """As in `--track NAME:PLACE`."""
    description: str
    """One line for help."""
    build: Callable[[str, Any], Callable[[Event], None]]
    """Called as `build(place, options)` before a run starts, `place` being what stands behind the colon. Returns what
    is told of each event of that run, in a thread of its own; one that raises, or takes longer than 60 seconds (300 at
    the end), is warned of once and told no more. Raises `UsageError` where its package or a credential is missing, or
    its server can't be reached."""
    options: type[msgspec.Struct] | None = None
    """Struct whose fields are the options `key=value`; None: it takes none, and `build` gets None."""
