"""`egocross-eval merge SHARDS... --output DIR`: the run that shards make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.cli.show.made_run import MadeRun


@click.command(name="merge")
@click.argument("shards", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder of the run; it must not hold one.",
)
@replies()
def command(shards: tuple[Path, ...], output: Path) -> Reply[MadeRun]:
    """Put SHARDS, the run folders of --shard 1/N to N/N, together to one run.

    It is refused unless all are there, each once, finished, and made with the same model, settings and questions. What
    comes out is as if it had been one run.

    \b
    egocross-eval merge shards/* --output runs/whole
    """
    from egocross_eval.api import Run
    from egocross_eval.cli.show.end_of_run import print_end
    from egocross_eval.cli.show.made_run import made_run
    from egocross_eval.contracts.registry import registry
    from egocross_eval.leaderboard.derived import derive
    from egocross_eval.runs.merge import merge_shards

    folder = merge_shards(shards, output)
    derive(folder, registry())
    run = Run(folder)
    return Reply(value=made_run(run), show=lambda: print_end(run))
