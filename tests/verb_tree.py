"""Every verb of the command line, inner ones included."""

from __future__ import annotations

from collections.abc import Iterator

import click

from egocross_eval.cli.main import VERBS, cli


def verbs() -> Iterator[tuple[str, click.Command]]:
    """What is typed to call it, such as `train merge`, and its command. Verbs of installed plugins are left out."""
    context = click.Context(cli)
    for name in VERBS:
        command = cli.get_command(context, name)
        assert command is not None
        yield from _below(name, command)


def _below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield name, command
    for inner in _inner(command):
        yield from _below(f"{name} {inner.name}", inner)


def _inner(command: click.Command) -> Iterator[click.Command]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield found
    elif hasattr(command, "inner_verb"):
        yield command.inner_verb()
