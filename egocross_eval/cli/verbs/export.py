"""`egocross-eval export RUN --to FORM`: a run in somebody else's form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from egocross_eval.command_options import format_option
from egocross_eval.visible import json_text

if TYPE_CHECKING:
    from egocross_eval.contracts.exporter import Exporter


@click.command(name="export")
@click.argument("run", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--to", "to", metavar="FORM", help="name[,key=value...]; without it the forms are listed.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Default: a file or folder within RUN.")
@format_option("text", "json")
def command(run: Path | None, to: str | None, output: Path | None, form: str) -> None:
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
        if form == "json":
            click.echo(json_text([_record(known) for known in forms]))
            return
        own = {known.name: f" ({', '.join(known.benchmarks)})" if known.benchmarks else "" for known in forms}
        click.echo(described((known.name, known.description + own[known.name]) for known in forms))
        return
    said = export_run(run, to, output=output)
    click.echo(json_text({"run": str(run), "form": to, "message": said}) if form == "json" else said)


def _record(kind: Exporter) -> dict[str, Any]:
    from egocross_eval.cli.show.options import option_records

    return {
        "name": kind.name,
        "description": kind.description,
        "benchmarks": kind.benchmarks,
        "default": kind.default,
        "options": option_records(kind.options),
    }
