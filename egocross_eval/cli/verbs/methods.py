"""`egocross-eval methods`: how a question can be asked, what each way costs, and its options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from egocross_eval.command_options import format_option
from egocross_eval.visible import json_text

if TYPE_CHECKING:
    from egocross_eval.contracts.method import MethodType


@click.command(name="methods")
@click.argument("name", required=False)
@format_option("text", "json")
def command(name: str | None, form: str) -> None:
    """List the methods for --method, or the options of one.

    \b
    egocross-eval methods
    egocross-eval methods verify
    """
    from egocross_eval.cli.show.terminal import fitted_table, wrapped
    from egocross_eval.contracts.registry import registry
    from egocross_eval.model_adapters.spec import option_rows

    known = registry()
    kinds = [known.method_type(name)] if name else list(known.methods.values())
    if form == "json":
        click.echo(json_text([_record(kind) for kind in kinds]))
        return
    for kind in kinds:
        click.echo(
            kind.name + (f":{kind.argument}" if kind.argument else "") + ("[:key=value,...]" if kind.options else "")
        )
        click.echo(wrapped(kind.description, first="    ", rest="    "))
        if kind.cost:
            click.echo(wrapped(f"requests a question: {kind.cost}", first="    ", rest="    "))
        if kind.example:
            click.echo(f"    e.g. --method {kind.example}")
    if name is None:
        click.echo("\n'egocross-eval methods NAME' lists the options of one.")
    elif fields := option_rows(kind.options):
        click.echo()
        click.echo(fitted_table(fields, ["option", "type", "default", "what"], wrap=-1))


def _record(kind: MethodType) -> dict[str, Any]:
    from egocross_eval.cli.show.options import option_records

    return {
        "name": kind.name,
        "argument": kind.argument,
        "description": kind.description,
        "cost": kind.cost,
        "example": kind.example,
        "options": option_records(kind.options),
    }
