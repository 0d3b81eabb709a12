"""A verb with arguments of its own that also has an inner verb, such as `leaderboard verify`."""

from __future__ import annotations

import importlib
from typing import Any

import click


def with_inner_verb(name: str, module: str) -> type[click.Command]:
    """A command class that hands `VERB name ...` to the `command` of a module; all else are the verb's arguments."""

    class WithInnerVerb(click.Command):
        def inner_verb(self) -> click.Command:
            """The command of the inner verb."""
            command: click.Command = importlib.import_module(module).command
            return command

        def make_context(
            self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
        ) -> click.Context:
            """The context of whichever command is meant."""
            if args[:1] != [name]:
                return super().make_context(info_name, args, parent, **extra)
            return self.inner_verb().make_context(f"{info_name} {name}", args[1:], parent, **extra)

        def invoke(self, ctx: click.Context) -> Any:
            """Calls the command of the context."""
            return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)

    return WithInnerVerb
