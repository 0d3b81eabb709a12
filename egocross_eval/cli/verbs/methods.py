"""`egocross-eval methods`: how a question can be asked, what each way costs, and its options."""

from __future__ import annotations

import click


@click.command(name="methods")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the methods for --method, or the options of one.

    \b
    egocross-eval methods
    egocross-eval methods verify
    """
    from egocross_eval.cli.show.terminal import fitted_table, wrapped
    from egocross_eval.contracts.registry import registry
    from egocross_eval.model_adapters.spec import option_rows

    known = registry()
    for kind in [known.method_type(name)] if name else known.methods.values():
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
