"""`egocross-eval methods`: how a question can be asked, what each way costs, and its options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
import msgspec

from egocross_eval.cli.show.options import OptionEntry
from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.contracts.method import MethodType


class MethodEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A method."""

    name: str
    argument: str
    """What stands behind the colon; empty where it takes none."""
    description: str
    cost: str
    """Requests a question, in words."""
    example: str
    options: list[OptionEntry]


@click.command(name="methods")
@click.argument("name", required=False)
@replies()
def command(name: str | None) -> Reply[list[MethodEntry]]:
    """List the methods for --method, or the options of one.

    \b
    egocross-eval methods
    egocross-eval methods verify
    """
    from egocross_eval.contracts.registry import registry

    known = registry()
    kinds = [known.method_type(name)] if name else list(known.methods.values())
    return Reply(value=[_entry(kind) for kind in kinds], show=lambda: _show(kinds, one=name is not None))


def _show(kinds: Sequence[MethodType], *, one: bool) -> None:
    from egocross_eval.cli.show.terminal import fitted_table, wrapped
    from egocross_eval.model_adapters.spec import option_rows

    for kind in kinds:
        click.echo(
            kind.name + (f":{kind.argument}" if kind.argument else "") + ("[:key=value,...]" if kind.options else "")
        )
        click.echo(wrapped(kind.description, first="    ", rest="    "))
        if kind.cost:
            click.echo(wrapped(f"requests a question: {kind.cost}", first="    ", rest="    "))
        if kind.example:
            click.echo(f"    e.g. --method {kind.example}")
    if not one:
        click.echo("\n'egocross-eval methods NAME' lists the options of one.")
    elif fields := option_rows(kinds[0].options):
        click.echo()
        click.echo(fitted_table(fields, ["option", "type", "default", "what"], wrap=-1))


def _entry(kind: MethodType) -> MethodEntry:
    from egocross_eval.cli.show.options import option_entries
    from egocross_eval.model_adapters.spec import option_rows

    return MethodEntry(
        name=kind.name,
        argument=kind.argument,
        description=kind.description,
        cost=kind.cost,
        example=kind.example,
        options=option_entries(option_rows(kind.options)),
    )
