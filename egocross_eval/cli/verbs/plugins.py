"""`egocross-eval plugins`: what is installed, what it registers and what is broken; and a package to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from egocross_eval.cli.kit import KINDS
from egocross_eval.command_options import renamed
from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.contracts.registry import PluginInfo


class NewPackage(msgspec.Struct, frozen=True, kw_only=True):
    """A package that was written."""

    folder: Path
    kind: str


@click.group(name="plugins", invoke_without_command=True)
@replies()
@renamed("--json", "--format", value="json")
@click.pass_context
def command(ctx: click.Context) -> Reply[list[PluginInfo]] | None:
    """List the plugins: distribution, version, what each registers, and the traceback of a broken one.

    \b
    egocross-eval plugins
    egocross-eval plugins new my-model --kind adapter
    """
    if ctx.invoked_subcommand is not None:
        return None
    from egocross_eval.contracts.registry import registry

    plugins = registry().plugins
    return Reply(value=plugins, show=lambda: _show(plugins))


def _show(plugins: list[PluginInfo]) -> None:
    from egocross_eval.cli.show.terminal import wrapped
    from egocross_eval.contracts.registry import KINDS as REGISTERED

    for plugin in plugins:
        state = "BROKEN" if plugin.error else ""
        click.echo(f"{plugin.name}  ({plugin.distribution} {plugin.version}) {state}".rstrip())
        for what, names in (
            *((f"{kind.word}s", getattr(plugin, kind.attribute)) for kind in REGISTERED),
            ("observes", ["runs"] if plugin.observes else []),
        ):
            if names:
                click.echo(wrapped(f"{what}: {', '.join(names)}", first="    ", rest="      "))
        if plugin.error:
            click.echo("\n".join(f"    {line}" for line in plugin.error.rstrip().splitlines()))


@command.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(list(KINDS)), required=True, help="What the plugin adds.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    metavar="FOLDER",
    help="Where its folder is made; default: here.",
)
@replies()
def new(name: str, kind: str, output: Path) -> Reply[NewPackage]:
    """Write the package of a new plugin, with tests, types and README, that passes at once.

    \b
    egocross-eval plugins new my-model --kind adapter
    """
    from egocross_eval.cli.kit import write_package

    folder = write_package(name, kind, output)
    told = f"wrote {folder}: {KINDS[kind][0].lower()}, its tests and README\n\n"
    told += f"    cd {folder}\n    pip install --editable . pytest\n    pytest"
    return Reply(value=NewPackage(folder=folder, kind=kind), show=lambda: click.echo(told))
