"""`egocross-eval export RUN --to FORM`: a run in somebody else's form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from egocross_eval.cli.show.options import OptionEntry
from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.contracts.exporter import Exporter


class ExportForm(msgspec.Struct, frozen=True, kw_only=True):
    """A form that runs are written in."""

    name: str
    description: str
    benchmarks: tuple[str, ...]
    """Those whose runs it takes; empty: all."""
    default: str
    """Name of the file or folder within the run; empty: there is none."""
    options: list[OptionEntry]


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """A run that was exported."""

    run: Path
    form: str
    message: str
    """What was written where, in words."""


@click.command(name="export")
@click.argument("run", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--to", "to", metavar="FORM", help="name[,key=value...]; without it the forms are listed.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Default: a file or folder within RUN.")
@replies()
def command(run: Path | None, to: str | None, output: Path | None) -> Reply[list[ExportForm] | Exported]:
    """Write RUN in the form of another tool, or list the forms.

    \b
    egocross-eval export
    egocross-eval export runs/my-model --to submission --output submission.zip
    """
    from egocross_eval.api import export_run
    from egocross_eval.cli.show.terminal import described
    from egocross_eval.contracts.registry import registry

    if run is None or to is None:
        forms = registry().exporters.values()
        own = {known.name: f" ({', '.join(known.benchmarks)})" if known.benchmarks else "" for known in forms}
        told = described((known.name, known.description + own[known.name]) for known in forms)
        return Reply(value=[_entry(known) for known in forms], show=lambda: click.echo(told))
    said = export_run(run, to, output=output)
    return Reply(value=Exported(run=run, form=to, message=said), show=lambda: click.echo(said))


def _entry(kind: Exporter) -> ExportForm:
    from egocross_eval.cli.show.options import option_entries
    from egocross_eval.model_adapters.spec import option_rows

    return ExportForm(
        name=kind.name,
        description=kind.description,
        benchmarks=kind.benchmarks,
        default=kind.default,
        options=option_entries(option_rows(kind.options)),
    )
