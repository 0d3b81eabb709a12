"""Options of the command line, made from the fields of settings structs."""

from __future__ import annotations

import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from egocross_eval.settings import Option, options_of

F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S", bound=msgspec.Struct)


def options_of_settings(*structs: type[msgspec.Struct]) -> Callable[[F], F]:
    """The options that the fields of settings structs are; the command gets them as keywords by their names."""

    def decorate(function: F) -> F:
        for struct in reversed(structs):
            for known in reversed(options_of(struct)):
                function = _click_option(known)(function)
        return function

    return decorate


def made_of(struct: type[S], given: dict[str, Any]) -> S:
    """The struct that a command's keywords make."""
    return struct(**{known.field: given[known.name] for known in options_of(struct) if known.name in given})


def _click_option(known: Option) -> Callable[[F], F]:
    attributes: dict[str, Any] = {"help": known.description, "default": known.default}
    if known.default not in (None, ""):
        attributes["show_default"] = True
    if known.metavar:
        attributes["metavar"] = known.metavar
    declaration = known.flag
    if known.type is bool:
        declaration = f"{known.flag}/--no-{known.flag.removeprefix('--')}"
    elif known.choices:
        attributes["type"] = click.Choice(known.choices)
    else:
        kinds = typing.get_args(known.type) or (known.type,)
        attributes["type"] = next(_TYPES[kind] for kind in kinds if kind in _TYPES)
    short = [_SHORT[known.name]] if known.name in _SHORT else []
    return click.option(declaration, *short, known.name, **attributes)


_TYPES: dict[Any, Any] = {int: int, float: float, str: str, Path: click.Path(path_type=Path)}
_SHORT = {"tasks": "-t"}
