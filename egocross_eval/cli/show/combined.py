"""What `combine` says of the run that it made: how it stands against its parts, and what it left open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from egocross_eval.cli.show.terminal import wrapped

if TYPE_CHECKING:
    from egocross_eval.combining.best import Choice
    from egocross_eval.combining.run import Together


def print_parts(made: Together) -> None:
    """The comparison with each part, paired by question, and notes."""
    from egocross_eval.scoring.comparison import ComparedRun, compare_all
    from egocross_eval.scoring.verdict import verdict_sentence

    own = ComparedRun(label="combined", record=made.folder.record(), samples=tuple(made.folder.samples()))
    parts = [
        ComparedRun(label=part.name, record=part.record, samples=tuple(part.samples.values())) for part in made.parts
    ]
    if any(sample.question.target is not None for sample in own.samples):
        for comparison in compare_all([own, *parts]):
            click.echo(wrapped(verdict_sentence(comparison)))
    else:
        click.echo("right answers aren't known here: nothing says whether it's better than its parts")
    if made.ties:
        click.echo(f"ties: {made.ties} questions, decided by the run that stands first; --weights leave fewer")
    for name, count in made.without_scores.items():
        click.echo(
            f"{name}: {count} of {len(own.samples)} questions have no scores in it and are decided by the others"
        )
    if made.choice is not None:
        _print_choice(made.choice)


def _print_choice(choice: Choice) -> None:
    for group, part in choice.by_group.items():
        click.echo(f"{group or 'where nothing else is said'}: {part.name}")
    click.echo(
        wrapped(
            f"expected gain over the best single run: {100 * choice.gain:.1f} points; on the other data it looks like "
            f"{100 * choice.apparent:.1f}, of which the rest is the luck of what was chosen"
        )
    )
