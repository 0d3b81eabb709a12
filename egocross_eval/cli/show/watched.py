"""What `watch` says of the checkpoints that were evaluated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from egocross_eval.cli.show.terminal import fitted_table, wrapped
from egocross_eval.counted import points
from egocross_eval.watching.watch import WatchRecord

if TYPE_CHECKING:
    from egocross_eval.schema import ModelRecord
    from egocross_eval.watching.watch import Point


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the checkpoints."""

    output: Path
    curve: Path | None
    """None before the first is evaluated."""
    record: WatchRecord
    broken: list[str]
    """Runs of checkpoints that couldn't be evaluated in full."""
    passed_over: dict[str, str]
    """Checkpoints that aren't whole, and what they lack."""


def unseen_weights(model: ModelRecord) -> str:
    """What is to be said of an engine that names no checkpoint that it read; empty for others."""
    if "architecture" in model.details:
        return ""
    scheme = model.spec.partition(":")[0]
    return wrapped(
        f"note: {scheme}: doesn't say which weights answer: the files of each checkpoint are looked at, and not what "
        "stands behind that name. Where other weights come there, choose another --output, and --no-cache"
    )


def print_curve(record: WatchRecord) -> None:
    """The curve with its band, and what the looks said."""
    from egocross_eval.watching.curve import bars
    from egocross_eval.watching.looks import look_places

    if not record.points:
        click.echo("no checkpoint is evaluated yet")
        return
    lines = bars([(point.step, point.figure) for point in record.points])
    rows = [
        [str(point.step), _figure(point), line, _said(record, place)]
        for place, (point, line) in enumerate(zip(record.points, lines, strict=True))
    ]
    click.echo(fitted_table(rows, ["step", "accuracy", "95 % interval", "planned look"], right="rll"))
    if not record.planned:
        text = "how many checkpoints there'll be isn't known, so no looks are planned: --planned N plans them"
    else:
        places = ", ".join(map(str, look_places(record.planned)))
        base = record.against or f"step {record.base}"
        text = f"looks are planned at the checkpoints {places} of {record.planned}, against {base}; they err in 5 % of "
        text += "cases altogether"
    click.echo(wrapped(text))


def _figure(point: Point) -> str:
    return f"{100 * point.figure.accuracy:.1f}"


def _said(record: WatchRecord, place: int) -> str:
    point = record.points[place]
    look = point.look
    if look is None and point.step == record.base:
        return "the one compared with" if record.planned else ""
    if look is None:
        return "no question that both have a grade for" if record.due(point.step, place + 1) else ""
    return f"{look.verdict}: {points(look.difference)} ({points(look.low)} to {points(look.high)})"
