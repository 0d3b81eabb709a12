"""`egocross-eval leaderboard verify ROWS RUN`: whether a row is what its run gives."""

from __future__ import annotations

from pathlib import Path

import click

from egocross_eval.leaderboard.verify import Verification
from egocross_eval.replies import Reply, replies


@click.command(name="verify")
@click.argument("rows", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--answers",
    "answers_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Grade by the right answers in this file; default: by those that the run carries.",
)
@replies()
def command(rows: Path, runs: tuple[Path, ...], answers_file: Path | None) -> Reply[Verification]:
    """Derive a row of ROWS (a file of leaderboard --format json) anew from its run folder, and say what differs.

    All outputs are read and graded again. A row that joins runs needs all of them. Exit code 1: something differs.

    \b
    egocross-eval leaderboard verify board.json runs/mine --answers egocross_testbed_answers.json
    """
    from egocross_eval.contracts.registry import registry
    from egocross_eval.leaderboard.rows import read_row_file
    from egocross_eval.leaderboard.verify import verify
    from egocross_eval.runs.store import RunFolder

    found = verify(read_row_file(rows), [RunFolder(run) for run in runs], registry(), answers_file)
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    lines = [f"{rows}: the row of {found.row.model} is what {', '.join(map(str, runs))} gives"]
    if found.differences:
        lines = [lines[0].replace(" is what ", " is not what ") + ":", *(f"  {one}" for one in found.differences)]
    return Reply(value=found, show=lambda: click.echo("\n".join(lines)), code=int(bool(found.differences)))
