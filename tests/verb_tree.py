"""Every verb of the command line, inner ones included, and the types of what they reply."""

from __future__ import annotations

import ast
import inspect
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from egocross_eval.cli.main import VERBS, cli


def verbs() -> Iterator[tuple[str, click.Command]]:
    """What is typed to call it, such as `train merge`, and its command. Verbs of installed plugins are left out."""
    for name, command in commands():
        if name and (not isinstance(command, click.Group) or command.invoke_without_command):
            yield name, command


def commands() -> Iterator[tuple[str, click.Command]]:
    """The same with the groups: each before the verbs within it, and first of all the whole, whose name is empty."""
    yield "", cli
    context = click.Context(cli)
    for name in VERBS:
        command = cli.get_command(context, name)
        assert command is not None
        yield from _below(name, command)


def _below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    for inner, found in inner_verbs(command):
        yield from _below(f"{name} {inner}", found)


def inner_verbs(command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """The verbs right within a verb: the word that calls each, and its command."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield name, found
    elif hasattr(command, "inner_verb"):
        found = command.inner_verb()
        yield str(found.name), found


def reply_types(command: click.Command) -> tuple[Any, ...]:
    """The types of which a verb's document has one; none for a verb that has no `--format json`."""
    verb = inspect.unwrap(command.callback) if command.callback is not None else None
    if verb is None or not any("--format" in one.opts for one in command.params):
        return ()
    # As the verb is checked: what it replies is what its return type says, and mypy holds it to that.
    hint = eval(verb.__annotations__["return"], {**verb.__globals__, **_names_for_checkers(verb.__module__)})
    return tuple(kind for reply in _members(hint) for value in typing.get_args(reply) for kind in _members(value))


def _names_for_checkers(module: str) -> dict[str, Any]:
    """What a module imports for type checkers alone, so that it starts fast."""
    tree = ast.parse(Path(str(sys.modules[module].__file__)).read_text(encoding="utf-8"))
    blocks = [one.body for one in tree.body if isinstance(one, ast.If) and ast.unparse(one.test) == "TYPE_CHECKING"]
    names: dict[str, Any] = {}
    for body in blocks:
        exec(compile(ast.Module(body, []), module, "exec"), names)
    return names


def _members(kind: Any) -> Iterator[Any]:
    """Of a union its members but None; of any other type itself."""
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        yield from (one for one in typing.get_args(kind) if one is not types.NoneType)
    else:
        yield kind
