"""The contract of a verb that a plugin adds to the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import click


class CommandType(msgspec.Struct, frozen=True, kw_only=True):
    """A registered verb."""

    name: str
    description: str
    """One line for `egocross-eval --help`."""
    load: Callable[[], click.Command]
    """Imports and returns the command when the verb is used."""
