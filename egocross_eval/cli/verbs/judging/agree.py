"""`egocross-eval judge agree RUN`: how far the judges of a run agree, and where they part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.cli.show.judgings import JudgePair


@click.command(name="agree")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="RUN")
@click.option("--most", type=click.IntRange(min=0), default=10, show_default=True, help="Partings shown of each pair.")
@replies()
def command(run: Path, most: int) -> Reply[list[JudgePair]]:
    """How far every two judges of RUN agree, a person who labelled among them: the share of the same verdicts, Cohen's
    kappa and Krippendorff's alpha with intervals clustered by video, and the answers on which they part.

    \b
    egocross-eval judge agree RUN
    """
    from egocross_eval.api import load_run
    from egocross_eval.cli.show.judgings import judge_pairs, print_agreement
    from egocross_eval.errors import UsageError

    judgings = load_run(run).judgings
    pairs = judge_pairs(judgings, run)
    if not pairs:
        raise UsageError(
            f"{run} has {len(judgings)} judging{'s' if len(judgings) != 1 else ''} and too few labels: two "
            "judges are needed, e.g. egocross-eval judge RUN --judge rules --judge SPEC"
        )
    return Reply(value=pairs, show=lambda: print_agreement(judgings, run, most=most))
