"""`egocross-eval models`: the model adapters, their options, and the builder of a tiny checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from egocross_eval.command_options import format_option
from egocross_eval.visible import json_text

if TYPE_CHECKING:
    from egocross_eval.contracts.model import AdapterType


@click.group(name="models", invoke_without_command=True)
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, form: str) -> None:
    """List the model adapters with their options, or build a tiny checkpoint.

    \b
    egocross-eval models
    egocross-eval models show hf
    egocross-eval models build-tiny ./tiny
    """
    if ctx.invoked_subcommand is not None:
        return
    from egocross_eval.cli.show.terminal import wrapped
    from egocross_eval.contracts.registry import registry

    if form == "json":
        click.echo(json_text([_record(adapter) for adapter in registry().model_adapters.values()]))
        return
    for adapter in registry().model_adapters.values():
        click.echo(f"{adapter.form}[,key=value...]")
        click.echo(wrapped(adapter.description, first="    ", rest="    "))
        if adapter.example:
            click.echo(f"    e.g. {adapter.example}")
    click.echo("\n'egocross-eval models show SCHEME' lists the options of one.")


def _record(adapter: AdapterType) -> dict[str, Any]:
    from egocross_eval.cli.show.options import option_records

    return {
        "scheme": adapter.scheme,
        "description": adapter.description,
        "example": adapter.example,
        "options": option_records(adapter.options),
    }


@command.command(name="show")
@click.argument("scheme")
def show(scheme: str) -> None:
    """List the options of one model adapter.

    \b
    egocross-eval models show openai
    """
    from egocross_eval.cli.show.terminal import fitted_table, wrapped
    from egocross_eval.contracts.registry import registry
    from egocross_eval.model_adapters.spec import description, option_fields

    adapter = registry().adapter_type(scheme)
    click.echo(wrapped(f"{adapter.form}  {adapter.description}"))
    if adapter.example:
        click.echo(f"e.g. {adapter.example}")
    fields = option_fields(adapter)
    if fields:
        click.echo()
        click.echo(fitted_table(fields, ["option", "type", "default", "what"], wrap=-1))
    elif adapter.passed_on is None:
        click.echo("takes no declared options")
    if adapter.passed_on is not None:
        click.echo("\n" + wrapped(f"also takes {description(adapter.passed_on)}"))


@command.command(name="build-tiny")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", type=int, default=0, show_default=True, help="For the random weights.")
@click.option("--frame-pixels", type=int, default=4096, show_default=True, help="Most pixels of a frame.")
def build_tiny_checkpoint(directory: Path, seed: int, frame_pixels: int) -> None:
    """Build a tiny Qwen3-VL checkpoint with random weights in DIRECTORY, in seconds and offline (needs the extra hf).

    \b
    egocross-eval models build-tiny ./tiny
    egocross-eval --model hf:./tiny --split demo --limit 20 --answer choose
    """
    from egocross_eval.errors import UsageError
    from egocross_eval.model_adapters.checkpoints.tiny import TinyShape, build_tiny

    if directory.is_dir() and any(directory.iterdir()):
        raise UsageError(f"{directory} is not empty; choose a new folder")
    build_tiny(directory, seed=seed, shape=TinyShape(frame_pixels=frame_pixels))
    click.echo(f"wrote {directory}; try: egocross-eval --model hf:{directory} --split demo --limit 20 --answer choose")
