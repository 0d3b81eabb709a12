"""`egocross-eval plugins`: what is installed, what it registers, and what is broken."""

from __future__ import annotations

import click

from egocross_eval.command_options import format_option, renamed
from egocross_eval.visible import json_text


@click.command(name="plugins")
@format_option("text", "json")
@renamed("--json", "--format", value="json")
def command(form: str) -> None:
    """List the plugins: distribution, version, what each registers, and the traceback of a broken one.

    \b
    egocross-eval plugins
    """
    from egocross_eval.cli.show.terminal import wrapped
    from egocross_eval.contracts.registry import KINDS, registry

    plugins = registry().plugins
    if form == "json":
        click.echo(json_text(plugins))
        return
    for plugin in plugins:
        state = "BROKEN" if plugin.error else ""
        click.echo(f"{plugin.name}  ({plugin.distribution} {plugin.version}) {state}".rstrip())
        for what, names in (
            *((f"{kind.word}s", getattr(plugin, kind.attribute)) for kind in KINDS),
            ("observes", ["runs"] if plugin.observes else []),
        ):
            if names:
                click.echo(wrapped(f"{what}: {', '.join(names)}", first="    ", rest="      "))
        if plugin.error:
            click.echo("\n".join(f"    {line}" for line in plugin.error.rstrip().splitlines()))
