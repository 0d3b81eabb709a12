"""`egocross-eval judge formats JUDGING CLOSED`: the open and the closed format side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from egocross_eval.counted import points
from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.scoring.formats import Formats


@click.command(name="formats")
@click.argument("judging", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="RUN|JUDGING")
@click.argument("closed", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="CLOSED")
@replies()
def command(judging: Path, closed: Path) -> Reply[Formats]:
    """The free answers of RUN, as its one judge or the named JUDGING has them, beside those of the same model among
    options in the run CLOSED: accuracies, and question by question what is right in both, in one or in neither. Right
    among options and wrong without may have been guessed.

    \b
    egocross-eval judge formats RUN CLOSED
    """
    from egocross_eval.errors import UsageError
    from egocross_eval.runs.judging import judgings
    from egocross_eval.runs.store import RunFolder
    from egocross_eval.scoring.formats import Formats, beside

    first, second = RunFolder(judging), RunFolder(closed)
    if first.record().judged is None:
        found = judgings(judging)
        if len(found) != 1:
            names = ", ".join(folder.path.name for folder in found) or "none; egocross-eval judge RUN --judge SPEC"
            raise UsageError(f"{judging} needs one judging, or the folder of one of several; it has {names}")
        first = found[0]
    opened, other = first.record(), second.record()
    if other.judged is not None or not any(question.options for question in second.questions()[:1]):
        raise UsageError(f"{closed} was not asked with options: name a run of the closed tasks second")
    if opened.judged is not None and opened.judged.model.identity != other.model.identity:
        click.echo(f"note: two models: {opened.judged.model.name} and {other.model.name}", err=True)
    rows = beside(second.samples(), first.samples(), opened.benchmark)
    if not rows:
        raise UsageError(f"{judging} and {closed} have no scored question in common")
    made = Formats(judge=opened.judge_title, rows=rows)
    return Reply(value=made, show=lambda: _show(made))


def _show(found: Formats) -> None:
    from egocross_eval.cli.show.terminal import fitted_table, wrapped

    click.echo(f"judged by {found.judge}\n")
    table = [
        [
            row.name,
            str(row.n),
            f"{row.closed:.1%}",
            f"{row.open:.1%}",
            f"{points(row.difference.low)} to {points(row.difference.high)}",
            *map(str, (row.both, row.closed_only, row.open_only, row.neither)),
        ]
        for row in found.rows
    ]
    heads = ["", "n", "closed", "open", "open less closed, 95 %", "both", "closed only", "open only", "neither"]
    click.echo(fitted_table(table, heads, right="lrrrrrrrr"))
    everything = found.rows[0]
    share = everything.closed_only / max(1, everything.both + everything.closed_only)
    click.echo(
        wrapped(f"\n{share:.1%} of what is right among options is wrong without them: it may have been guessed.")
    )
