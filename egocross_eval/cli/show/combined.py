"""What `combine` says of the run that it made: how it stands against its parts, and what it left open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec

from egocross_eval.cli.show.made_run import MadeRun
from egocross_eval.cli.show.terminal import wrapped
from egocross_eval.counted import agreed, counted
from egocross_eval.leaderboard.comparison_table import StatedComparison

if TYPE_CHECKING:
    from egocross_eval.combining.best import Choice
    from egocross_eval.combining.run import Together


class BestChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Which run answers which group."""

    by_group: dict[str, str]
    """Name of the run; that under the empty name answers groups that the other data don't have."""
    gain: float
    """Over the best single run, as it's to be expected, as a fraction."""
    apparent: float
    """As it looks."""


class CombinedRun(MadeRun, frozen=True, kw_only=True):
    """A run made of runs."""

    comparisons: tuple[StatedComparison, ...]
    """Each part against it; none where right answers aren't known."""
    ties: int
    """Questions that the first of those with equally many votes decided."""
    without_scores: dict[str, int]
    """Questions for which a part has no scores, by part."""
    choice: BestChoice | None
    """By the rule `best`."""


def combined_run(made: Together) -> CombinedRun:
    """For programs."""
    from egocross_eval.api import Run
    from egocross_eval.cli.show.made_run import made_run

    return CombinedRun(
        **msgspec.structs.asdict(made_run(Run(made.folder))),
        comparisons=tuple(_compared(made)),
        ties=made.ties,
        without_scores=made.without_scores,
        choice=None if made.choice is None else _best(made.choice),
    )


def _best(choice: Choice) -> BestChoice:
    names = {group: part.name for group, part in choice.by_group.items()}
    return BestChoice(by_group=names, gain=choice.gain, apparent=choice.apparent)


def _compared(made: Together) -> list[StatedComparison]:
    from egocross_eval.leaderboard.comparison_table import stated
    from egocross_eval.scoring.comparison import ComparedRun, compare_all

    own = ComparedRun(label="combined", record=made.folder.record(), samples=tuple(made.folder.samples()))
    parts = [
        ComparedRun(label=part.name, record=part.record, samples=tuple(part.samples.values())) for part in made.parts
    ]
    known = any(sample.question.target is not None for sample in own.samples)
    return [stated(one) for one in compare_all([own, *parts])] if known else []


def print_parts(made: CombinedRun) -> None:
    """The comparison with each part, paired by question, and notes."""
    for comparison in made.comparisons:
        click.echo(wrapped(comparison.sentence))
    if not made.comparisons:
        click.echo("right answers aren't known here: nothing says whether it's better than its parts")
    if made.ties:
        ties = counted(made.ties, "question")
        click.echo(f"ties: {ties}, decided by the run that stands first; --weights leave fewer")
    total = made.results.counts["total"]
    for name, count in made.without_scores.items():
        click.echo(
            f"{name}: {count} of {counted(total, 'question')} {agreed(count, 'has', 'have')} no scores in it, "
            "and the others decide"
        )
    if made.choice is not None:
        _print_choice(made.choice)


def _print_choice(choice: BestChoice) -> None:
    for group, name in choice.by_group.items():
        click.echo(f"{group or 'where nothing else is said'}: {name}")
    click.echo(
        wrapped(
            f"expected gain over the best single run: {100 * choice.gain:.1f} points; on the other data it looks like "
            f"{100 * choice.apparent:.1f}, of which the rest is the luck of what was chosen"
        )
    )
