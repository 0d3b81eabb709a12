"""`egocross-eval doctor`: what this machine has, and what each engine needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from egocross_eval.command_options import renamed
from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.training.machine_report import Entry


@click.command(name="doctor")
@click.option("--python", type=click.Path(path_type=Path), help="Interpreter of the training environment.")
@replies()
@renamed("--json", "--format", value="json")
def command(python: Path | None) -> Reply[list[Entry]]:
    """Report GPU, driver, engines, versions, conflicts, the training environment, disk, and which tokens are set.

    Values of tokens are never shown. Exit code 1 where something is wrong; what is merely absent is no fault.

    \b
    egocross-eval doctor
    """
    from egocross_eval.cli.show.terminal import described
    from egocross_eval.training.machine_report import examine_machine

    entries = examine_machine(python)
    told = described((f"{entry.status:9}{entry.group:9}{entry.name}", entry.text) for entry in entries)
    wrong = any(entry.status == "problem" for entry in entries)
    return Reply(value=entries, show=lambda: click.echo(told), code=int(wrong))
