"""`egocross-eval gauges`: how many gauges of each kind a split has, for people and for programs."""

from collections import Counter
from collections.abc import Mapping

import click
import msgspec

from egocross_eval import DataSource, Reply, replying
from egocross_gauges import GAUGES, load


class Gauges(msgspec.Struct, frozen=True, kw_only=True):
    """The gauges of a split."""

    split: str
    questions: dict[str, int]
    """By instrument."""


@click.command(name="gauges")
@click.option("--split", type=click.Choice(GAUGES.splits), default=GAUGES.splits[0], show_default=True)
@replying()
def command(split: str) -> Reply[Gauges]:
    """Count the gauges of a split."""
    counts = Counter(question.label("instrument") for question in load(DataSource(split=split)).questions)
    return Reply(value=Gauges(split=split, questions=dict(counts)), show=lambda: show(counts), code=0 if counts else 1)


def show(counts: Mapping[str, int]) -> None:
    for instrument, count in counts.items():
        click.echo(f"{instrument:6} {count}")
