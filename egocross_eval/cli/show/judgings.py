"""What judges made of a run: progress while they are asked, and their figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from egocross_eval.cli.show.reporter import Reporter
from egocross_eval.contracts.event import Event, Started

if TYPE_CHECKING:
    from egocross_eval.api import Run


class JudgeReporter:
    """Told of the events of a run and of the judgings that follow: a reporter for each."""

    def __init__(self, first: Reporter | None = None) -> None:
        self._reporters: list[Reporter] = []
        self._now = first or Reporter("judge")

    def __call__(self, event: Event) -> None:
        """Shows an event."""
        if isinstance(event, Started) and event.record.judged is not None:
            self._now = Reporter(event.record.model.name)
            self._reporters.append(self._now)
        self._now(event)

    def print_summaries(self, judgings: Sequence[Run]) -> None:
        """What failed and what came from the cache, of each judging that was begun."""
        for reporter, judging in zip(self._reporters, judgings, strict=False):
            reporter.print_summary(judging.path, judging.results)


def print_judgings(judgings: Sequence[Run], *, form: str = "text", cells: bool = False) -> None:
    """The figures of judgings."""
    import msgspec

    if form == "json":
        found = {judging.path.name: judging.results for judging in judgings}
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
        return
    for judging in judgings:
        click.echo(f"\njudged by {judging.record.judge_title}: {judging.path}\n")
        print_judging(judging, cells=cells)


def print_judging(judging: Run, *, cells: bool) -> None:
    """The figures of one judging, and what a reader must know of them."""
    from egocross_eval.cli.show.figures import figures_table
    from egocross_eval.cli.show.terminal import wrapped

    record, results = judging.record, judging.results
    click.echo(figures_table(results, record.benchmark, combined=cells))
    found = results.judge
    if found is None:
        return
    lines = []
    if found.mean_mark is not None:
        lines.append(f"mean mark: {found.mean_mark:.2f} of 5")
    if found.unasked and record.model.fingerprint:
        lines.append(f"{found.unasked} answers were told right without asking the judge")
    if found.not_judged:
        lines.append(
            f"{found.not_judged} answers are not judged: no reply to them could be read; they count neither right nor "
            "wrong, and the score is a lower bound"
        )
    for line in lines:
        click.echo(wrapped(line))
