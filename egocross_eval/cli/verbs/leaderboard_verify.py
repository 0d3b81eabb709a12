"""`egocross-eval leaderboard verify ROWS RUNS`: whether rows are what their runs give."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.leaderboard.verify import Verification, Verified


@click.command(name="verify")
@click.argument("rows", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--answers",
    "answers_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Grade by the right answers in this file; default: by those that the run carries.",
)
@click.option(
    "--questions",
    "questions_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Hold the runs' questions against those in this file; default: the benchmark's as published.",
)
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="ROOT",
    help="Hold them against those below this data root.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Exit code 1 too where a row has no run here, a run's folder says of its outputs what they don't give, or "
    "nothing is known of its questions. Needs --answers.",
)
@replies()
def command(
    rows: Path,
    runs: tuple[Path, ...],
    answers_file: Path | None,
    questions_file: Path | None,
    data: Path | None,
    strict: bool,
) -> Reply[Verified]:
    """Derive rows of ROWS (a file of leaderboard --format json) anew from their RUNS, and say what differs.

    RUNS are run folders or folders of runs. All outputs are read and graded again. A row that joins runs needs all of
    them. Rows of which no run is given are named. Questions are held against the benchmark's, as published or in the
    file or data root that you name. Exit code 1: something differs. A check that nobody watches needs --strict: it
    passes only where every row was derived, and graded by your answers.

    \b
    egocross-eval leaderboard verify board.json runs/mine --answers egocross_testbed_answers.json
    egocross-eval leaderboard verify board.json runs
    egocross-eval leaderboard verify board.json runs/of-the-demo --data demo
    egocross-eval leaderboard verify rows.json run --answers egocross_testbed_answers.json --strict
    """
    from egocross_eval.contracts.registry import registry
    from egocross_eval.contracts.task import DataOptions
    from egocross_eval.leaderboard.collect import run_folders
    from egocross_eval.leaderboard.rows import read_row_file
    from egocross_eval.leaderboard.verify import verify

    if strict and answers_file is None:
        raise click.UsageError(
            "--strict needs --answers: without, a run is graded by what whoever sends it says is right."
        )
    folders = {folder.path.resolve(): folder for run in runs for folder in run_folders(run)}
    mine = DataOptions(data=data, questions_file=questions_file, answers_file=answers_file)
    found = verify(read_row_file(rows), list(folders.values()), registry(), mine)
    for note in [note for one in found.rows for note in one.notes] + found.notes:
        click.echo(f"note: {note}", err=True)
    if found.without_run:
        kind = "not verified" if strict else "note: not looked at"
        click.echo(f"{kind}, as no run of theirs was given: {', '.join(found.without_run)}", err=True)
    lines = [line for one in found.rows for line in _lines(rows, one)]
    code = 0 if found.holds(strict=strict) else 1
    return Reply(value=found, show=lambda: click.echo("\n".join(lines)), code=code)


def _lines(rows: Path, found: Verification) -> list[str]:
    """A line that says what came of it, and one for each difference."""
    gives = f"{' and '.join(found.runs)} {'gives' if len(found.runs) == 1 else 'give'}"
    name = f"{rows}: the row of {found.row.model}"
    if not found.differences:
        return [f"{name} is what {gives}"]
    return [f"{name} is not what {gives}:", *(f"  {difference}" for difference in found.differences)]
