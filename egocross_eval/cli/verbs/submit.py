"""`egocross-eval submit RUN`: the validated submission of a run."""

from __future__ import annotations

from pathlib import Path

import click

from egocross_eval.cli.verbs.export import Exported
from egocross_eval.replies import Reply, replies


@click.command(name="submit")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Default: submission.zip in RUN.")
@click.option(
    "--allow-unanswered",
    is_flag=True,
    help="Leave the answer of questions without a letter empty instead of refusing; the scorer counts them as wrong.",
)
@click.option(
    "--rehearse",
    is_flag=True,
    help="Try the way with a run of other questions, such as the demo's: the same checks and file, as rehearsal.zip.",
)
@replies()
def command(run: Path, output: Path | None, allow_unanswered: bool, rehearse: bool) -> Reply[Exported]:
    """Write the submission.zip of RUN for Codabench, after checking that it's complete.

    \b
    egocross-eval submit runs/my-model-all-20260101-120000
    egocross-eval submit runs/demo --rehearse
    """
    from egocross_eval.api import export_run

    form = ",".join(["submission", *["allow_unanswered=true"] * allow_unanswered, *["rehearse=true"] * rehearse])
    output = output or (run / "rehearsal.zip" if rehearse else None)
    said = export_run(run, form, output=output)
    return Reply(value=Exported(run=run, form=form, message=said), show=lambda: click.echo(said))
