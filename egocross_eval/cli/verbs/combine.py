"""`egocross-eval combine RUN... --output DIR`: a run made of runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.cli.show.combined import CombinedRun
    from egocross_eval.combining.run import Rule

RULES = {
    "sum": "the largest sum of log-probabilities",
    "votes": "most votes",
    "best": "the run that is best in the question's group on other data",
}


@click.command(name="combine")
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--rule", type=click.Choice(list(RULES)), default="sum", show_default=True, help="How runs decide.")
@click.option("--weights", metavar="W,...", default="", help="What each run's word counts, in their order; default: 1.")
@click.option("--by", metavar="NAME", default="", help="With best: one run for each group, e.g. domain or type.")
@click.option(
    "--chosen-on",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="RUN",
    help="With best: for each of RUNS, in their order, its run on other questions.",
)
@click.option("--name", default="", metavar="TEXT", help="What tables call the run; default: the models' names.")
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder of the run; it must not hold one.",
)
@replies()
def command(
    runs: tuple[Path, ...],
    rule: Rule,
    weights: str,
    by: str,
    chosen_on: tuple[Path, ...],
    name: str,
    output: Path,
) -> Reply[CombinedRun]:
    """Combine RUNS, finished runs over the same questions, into one, from what is on disk: no model is asked.

    What comes out is compared, ranked and submitted like any run. Its difference from each of its parts is printed with
    an interval, paired by question: that it's best isn't said before that shows it.

    \b
    egocross-eval combine runs/a runs/b --output runs/together
    egocross-eval combine runs/a runs/b --rule best --by domain --chosen-on support/a --chosen-on support/b -o runs/best
    """
    from egocross_eval.api import Run
    from egocross_eval.cli.show.combined import combined_run, print_parts
    from egocross_eval.cli.show.end_of_run import print_end
    from egocross_eval.combining.run import Recipe, combine
    from egocross_eval.contracts.registry import registry
    from egocross_eval.leaderboard.derived import derive

    recipe = Recipe(rule=rule, weights=_numbers(weights), by=by, chosen_on=chosen_on, name=name)
    made = combine(runs, output, recipe, registry())
    derive(made.folder, registry())
    found = combined_run(made)

    def show() -> None:
        print_end(Run(made.folder))
        print_parts(found)

    return Reply(value=found, show=show)


def _numbers(text: str) -> tuple[float, ...]:
    from egocross_eval.errors import UsageError

    try:
        return tuple(float(piece) for piece in text.split(",")) if text else ()
    except ValueError:
        raise UsageError(f"--weights {text!r}: numbers with commas between them, e.g. 2,1") from None
