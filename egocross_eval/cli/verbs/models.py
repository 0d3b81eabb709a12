"""`egocross-eval models`: the model adapters, their options, and the builder of a tiny checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from egocross_eval.cli.show.options import OptionEntry
from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.contracts.model import AdapterType


class ModelEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A model adapter."""

    scheme: str
    description: str
    example: str
    options: list[OptionEntry]
    passed_on: str
    """What other options it takes and hands on; empty where it takes none."""


class TinyCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What was built."""

    checkpoint: Path


@click.group(name="models", invoke_without_command=True)
@replies()
@click.pass_context
def command(ctx: click.Context) -> Reply[list[ModelEntry]] | None:
    """List the model adapters with their options, or build a tiny checkpoint.

    \b
    egocross-eval models
    egocross-eval models show hf
    egocross-eval models build-tiny ./tiny
    """
    if ctx.invoked_subcommand is not None:
        return None
    from egocross_eval.contracts.registry import registry

    adapters = list(registry().model_adapters.values())
    return Reply(value=[_entry(adapter) for adapter in adapters], show=lambda: _show_all(adapters))


def _show_all(adapters: Sequence[AdapterType]) -> None:
    from egocross_eval.cli.show.terminal import wrapped

    for adapter in adapters:
        click.echo(f"{adapter.form}[,key=value...]")
        click.echo(wrapped(adapter.description, first="    ", rest="    "))
        if adapter.example:
            click.echo(f"    e.g. {adapter.example}")
    click.echo("\n'egocross-eval models show SCHEME' lists the options of one.")


def _entry(adapter: AdapterType) -> ModelEntry:
    from egocross_eval.cli.show.options import option_entries
    from egocross_eval.model_adapters.spec import description, option_fields

    return ModelEntry(
        scheme=adapter.scheme,
        description=adapter.description,
        example=adapter.example,
        options=option_entries(option_fields(adapter)),
        passed_on="" if adapter.passed_on is None else description(adapter.passed_on),
    )


@command.command(name="show")
@click.argument("scheme")
@replies()
def show(scheme: str) -> Reply[ModelEntry]:
    """List the options of one model adapter.

    \b
    egocross-eval models show openai
    """
    from egocross_eval.contracts.registry import registry

    adapter = registry().adapter_type(scheme)
    entry = _entry(adapter)
    return Reply(value=entry, show=lambda: _show_one(adapter, entry))


def _show_one(adapter: AdapterType, entry: ModelEntry) -> None:
    from egocross_eval.cli.show.terminal import fitted_table, wrapped

    click.echo(wrapped(f"{adapter.form}  {adapter.description}"))
    if adapter.example:
        click.echo(f"e.g. {adapter.example}")
    if entry.options:
        click.echo()
        rows = [msgspec.structs.astuple(option) for option in entry.options]
        click.echo(fitted_table(rows, ["option", "type", "default", "what"], wrap=-1))
    elif not entry.passed_on:
        click.echo("takes no declared options")
    if entry.passed_on:
        click.echo("\n" + wrapped(f"also takes {entry.passed_on}"))


@command.command(name="build-tiny")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", type=int, default=0, show_default=True, help="For the random weights.")
@click.option("--frame-pixels", type=int, default=4096, show_default=True, help="Most pixels of a frame.")
@replies()
def build_tiny_checkpoint(directory: Path, seed: int, frame_pixels: int) -> Reply[TinyCheckpoint]:
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
    told = f"wrote {directory}; try: egocross-eval --model hf:{directory} --split demo --limit 20 --answer choose"
    return Reply(value=TinyCheckpoint(checkpoint=directory), show=lambda: click.echo(told))
