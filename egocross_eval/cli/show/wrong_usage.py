"""What click found wrong with a command line, in the words of this package: the thing, the place and the remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from egocross_eval.errors import did_you_mean


def usage_fault(error: click.ClickException) -> str:
    """One line for an error; texts of our own, and those that aren't known, stay as they are."""
    for kind, said in _SAID.items():
        if isinstance(error, kind) and (text := said(error)):
            return f"{text}{_remedy(error)}"
    return f"{error.format_message()}{_remedy(error)}"


def _remedy(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f"; see '{context.command_path} --help'" if context is not None else ""


def _missing(error: click.MissingParameter) -> str:
    if error.param is None or error.ctx is None:
        return ""
    kind = error.param.type
    choices = f": one of {', '.join(map(str, kind.choices))}" if isinstance(kind, click.Choice) else ""
    return f"{_verb(error.ctx)} needs {_named(error.param)}{choices}"


def _verb(context: click.Context) -> str:
    """`data fetch`: what was typed behind the program's name."""
    return context.command_path.partition(" ")[2] or context.command_path


def _bad_value(error: click.BadParameter) -> str:
    if error.param is None:
        return ""
    fault = _fault(error.message, error.param.type)
    return f"{_named(error.param)}: {fault}"


def _fault(message: str, kind: click.ParamType[Any]) -> str:
    found = re.match(r"(?:\w+ )?'?(.*?)'? (?:is not|does not)\b", message, re.DOTALL)
    value = found[1] if found else ""
    if isinstance(kind, click.Choice) and found:
        choices = [str(choice) for choice in kind.choices]
        return f"{value!r} is none of {', '.join(choices)}{did_you_mean(value, choices)}"
    if isinstance(kind, click.Path) and message.endswith("does not exist."):
        return f"there is no {_path_kind(kind)} {value!r}{_near(value)}"
    if isinstance(kind, click.types.IntParamType | click.types.FloatParamType) and found:
        number = "a whole number" if isinstance(kind, click.types.IntParamType) else "a number"
        return f"{value!r} must be {number}{_bounds(kind)}"
    return message


def _path_kind(kind: click.Path) -> str:
    return "file or folder" if kind.file_okay and kind.dir_okay else "file" if kind.file_okay else "folder"


def _near(value: str) -> str:
    """What lies beside a path that isn't there and is called like it."""
    path = Path(value)
    try:
        beside = {str(one) if path.parent != Path() else one.name for one in path.parent.iterdir()}
    except OSError:
        return ""
    return did_you_mean(value, beside)


def _bounds(kind: click.ParamType[Any]) -> str:
    least, most = getattr(kind, "min", None), getattr(kind, "max", None)
    return "".join(f" {word} {bound:g}" for word, bound in (("from", least), ("up to", most)) if bound is not None)


def _unknown_option(error: click.NoSuchOption) -> str:
    command = error.ctx.command if error.ctx else None
    shown = [p for p in command.params if isinstance(p, click.Option) and not p.hidden] if command else []
    known = [name for option in shown for name in (*option.opts, *option.secondary_opts)]
    verb = f" of {_verb(error.ctx)}" if error.ctx else ""
    return f"no option {error.option_name!r}{verb}{did_you_mean(error.option_name, known)}"


def _no_value(error: click.BadOptionUsage) -> str:
    return f"{error.option_name} needs a value" if "requires an argument" in error.message else ""


def _other(error: click.UsageError) -> str:
    if unknown := re.fullmatch(r"No such command '(.*?)'\..*", error.message, re.DOTALL):
        group = error.ctx.command if error.ctx else None
        known: Iterable[str] = group.list_commands(error.ctx) if isinstance(group, click.Group) and error.ctx else ()
        names = list(known)
        owner = f" of {_verb(error.ctx)}" if error.ctx else ""
        return f"no verb {unknown[1]!r}{owner}{did_you_mean(unknown[1], names)}; known: {', '.join(names)}"
    if extra := re.fullmatch(r"Got unexpected extra arguments? \((.*)\)", error.message, re.DOTALL):
        takes = (
            [_named(one) for one in error.ctx.command.params if isinstance(one, click.Argument)] if error.ctx else []
        )
        return f"{extra[1]!r} is too much: it takes {' and '.join(takes) or 'options only'}"
    return ""


def _named(parameter: click.Parameter) -> str:
    """As it's typed: `--output DIR`, `RUN`."""
    if isinstance(parameter, click.Argument):
        name = parameter.metavar or str(parameter.name).upper()
        return re.sub(r"^\[(\w+)\]$", r"\1", name.removesuffix("..."))
    return max(parameter.opts, key=len)


_SAID: dict[type[click.ClickException], Callable[..., str]] = {
    click.MissingParameter: _missing,
    click.BadParameter: _bad_value,
    click.NoSuchOption: _unknown_option,
    click.BadOptionUsage: _no_value,
    click.UsageError: _other,
}
"""From the special to the general: the first that has a text is taken."""
