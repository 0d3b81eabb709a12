"""`egocross-eval export RUN --to FORM`: a run in somebody else's form."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="export")
@click.argument("run", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--to", "form", metavar="FORM", help="name[,key=value...]; without it the forms are listed.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Default: a file or folder within RUN.")
def command(run: Path | None, form: str | None, output: Path | None) -> None:
    """Write RUN in the form of another tool, or list the forms.

    \b
    egocross-eval export
    egocross-eval export runs/my-model --to submission --output submission.zip
    """
    from egocross_eval.api import export_run
    from egocross_eval.cli.show.terminal import described
    from egocross_eval.contracts.registry import registry

    if run is None or form is None:
        forms = registry().exporters.values()
        own = {known.name: f" ({', '.join(known.benchmarks)})" if known.benchmarks else "" for known in forms}
        click.echo(described((known.name, known.description + own[known.name]) for known in forms))
        return
    click.echo(export_run(run, form, output=output))
