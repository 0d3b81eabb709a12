"""Options of the command line: made from the fields of settings structs, of one form in all verbs, and renamed."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from click.core import ParameterSource

from egocross_eval.settings import Option, joined_paths, options_of

F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S", bound=msgspec.Struct)


def options_of_settings(*structs: type[msgspec.Struct], only: Collection[str] = ()) -> Callable[[F], F]:
    """The options that the fields of settings structs are, or those of them that are named; the command gets them as
    keywords by their names."""

    def decorate(function: F) -> F:
        for struct in reversed(structs):
            for known in reversed(options_of(struct)):
                if not only or known.name in only:
                    function = _click_option(known)(function)
        return function

    return decorate


def only_given(settings: dict[str, Any]) -> dict[str, Any]:
    """Of the keywords of the command that runs now, those that the user gave, on the command line or in a file."""
    source = click.get_current_context().get_parameter_source
    return {name: value for name, value in settings.items() if source(name) is not ParameterSource.DEFAULT}


def made_of(struct: type[S], given: dict[str, Any]) -> S:
    """The struct that a command's keywords make."""
    return struct(**{known.field: given[known.name] for known in options_of(struct) if known.name in given})


def renamed(old: str, new: str, *, value: str | None = None, multiple: bool = False) -> Callable[[F], F]:
    """Keeps the `old` name of the option `new` understood, hidden from help and with a hint on stderr.

    `value` makes it a switch that means `new` with that value (`--json` is `--format json`).
    """

    def understand(ctx: click.Context, _parameter: click.Parameter, given: Any) -> None:
        if not given:
            return
        click.echo(f"hint: {old} is called {' '.join(filter(None, (new, value)))} now", err=True)
        name = next(parameter.name for parameter in ctx.command.params if new in parameter.opts)
        # As a default: what is given under the new name wins.
        ctx.default_map = {**(ctx.default_map or {}), str(name): given if value is None else value}

    return click.option(
        old,
        "old_" + re.sub(r"\W+", "_", old).strip("_"),
        hidden=True,
        is_eager=True,
        expose_value=False,
        multiple=multiple,
        is_flag=value is not None,
        callback=understand,
    )


def _click_option(known: Option) -> Callable[[F], F]:
    attributes: dict[str, Any] = {"help": known.description, "default": known.default}
    if known.default not in (None, ""):
        attributes["show_default"] = True
    if known.metavar:
        attributes["metavar"] = known.metavar
    declaration = known.flag
    if known.type is bool:
        declaration = f"{known.flag}/--no-{known.flag.removeprefix('--')}"
    elif typing.get_origin(known.type) is tuple:
        attributes |= {"multiple": True, "show_default": False}
    elif known.choices:
        attributes["type"] = click.Choice(known.choices)
    else:
        kinds = typing.get_args(known.type) or (known.type,)
        attributes["type"] = next(_TYPES[kind] for kind in kinds if kind in _TYPES)
    if known.joined:
        attributes.update(multiple=True, callback=_joined)
    short = [_SHORT[known.name]] if known.name in _SHORT else []
    return click.option(declaration, *short, known.name, **attributes)


def frame_roots(default: str) -> Callable[[F], F]:
    """`--data` of a command that shows frames of runs; `default` is where they are looked for without it."""
    return click.option(
        "--data",
        multiple=True,
        metavar="ROOT",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        callback=_joined,
        help=f"Data root of the frames, repeatable; default: {default}, if it was made here.",
    )


def _joined(_context: click.Context, _parameter: click.Parameter, given: tuple[Path, ...]) -> Path | None:
    return joined_paths(given) if given else None


_TYPES: dict[Any, Any] = {int: int, float: float, str: str, Path: click.Path(path_type=Path)}
_SHORT = {"tasks": "-t"}
