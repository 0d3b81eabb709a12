"""What `tune` says: what the questions show of each way to ask, what was chosen, and what it's worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from egocross_eval.cli.show.terminal import fitted_table, wrapped
from egocross_eval.counted import counted, points
from egocross_eval.scoring.accuracy import LEVEL
from egocross_eval.tuning.report import Tuned

if TYPE_CHECKING:
    from egocross_eval.tuning.report import Way


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen."""

    strategy: Path
    """The file for `--strategy`."""
    tuned: Tuned
    """What the choice rests on."""


def print_tuned(report: Tuned, strategy: Path) -> None:
    """The whole of it, in points of accuracy."""
    first = report.ways[0].name
    clusters = ", ".join(f"{group or 'all'} {number}" for group, number in report.clusters.items())
    left_out = f"; {report.left_out} left out, without a known answer" if report.left_out else ""
    click.echo()
    click.echo(wrapped(f"{counted(report.questions, 'question')}, {report.cluster}s by group: {clusters}{left_out}"))
    click.echo(f"differences from {first!r}, in points; intervals hold for all {report.looked_at} ways together\n")
    click.echo(_ways(report))
    if len(report.clusters) > 1:
        click.echo(f"\nby {report.by}: expected difference (as it looks)\n")
        click.echo(_by_group(report))
    click.echo()
    for line in _conclusions(report):
        click.echo(wrapped(line))
    click.echo(f"\nchosen: {strategy}, for --strategy")


def _ways(report: Tuned) -> str:
    rows = [
        [
            way.name,
            f"{100 * way.accuracy:.1f}",
            f"{way.requests:.1f}",
            "unknown" if way.tokens is None else f"{way.tokens:,.0f}",
            *(_difference(way, report.cluster) if number else ["", "", ""]),
        ]
        for number, way in enumerate(report.ways)
    ]
    headers = ["way", "accuracy", "requests", "tokens", "difference", "expected", "verdict"]
    return fitted_table(rows, headers, right="lrrrrrl")


def _difference(way: Way, cluster: str) -> list[str]:
    ends = f"{points(way.difference)} ({points(way.low)} to {points(way.high)})"
    if way.p_adjusted is None:
        verdict = f"too few {cluster}s"
    elif way.p_adjusted >= LEVEL:
        verdict = "not shown"
    else:
        verdict = "better" if way.difference > 0 else "worse"
    return [ends, points(way.expected), verdict]


def _by_group(report: Tuned) -> str:
    groups = list(report.clusters)
    rows = [
        [
            way.name,
            *(
                f"{points(way.expected_by_group[group])} ({points(way.by_group[group])})"
                + ("*" if group in way.shown_by_group else "")
                for group in groups
            ),
        ]
        for way in report.ways[1:]
    ]
    table = fitted_table(rows, ["way", *groups], right="l" + "r" * len(groups))
    shown = any(way.shown_by_group for way in report.ways)
    return table + (f"\n* shown, as one of {len(rows) * len(groups)} looks" if shown else "")


def _conclusions(report: Tuned) -> list[str]:
    """What was chosen and what it's expected to be worth, and what more data would tell."""
    first = report.ways[0].name
    names = dict.fromkeys(report.choice.values())
    if len(names) == 1:
        (name,) = names
        choice = f"choice: {name} for all questions"
        if len(report.clusters) > 1:
            choice += f"; no {report.by} is shown to need another way"
    else:
        choice = "choice: " + ", ".join(f"{group} {name}" for group, name in report.choice.items())
    held = report.held_out
    return [
        choice,
        f"expected gain over {first!r}: {points(report.expected)} points, standard error {100 * report.error:.1f}; it "
        f"looks like {points(report.apparent)}. {report.looked_at} ways were looked at, and the best of several looks "
        "better than it is",
        f"the best way of each group looks like {points(report.best_by_group_apparent)} points, of which "
        f"{points(report.best_by_group_expected)} are to be expected",
        f"chosen anew without each of {held.folds} folds of {report.cluster}s and measured on it: "
        f"{points(held.difference)} points ({points(held.low)} to {points(held.high)})",
        f"smallest difference that is shown in 80 % of cases: {_detectable(report)}",
    ]


def _detectable(report: Tuned) -> str:
    now = report.detectable.get(1)
    more = [f"{100 * value:.0f} with {times} times" for times, value in report.detectable.items() if times > 1]
    first = f"none, by so few {report.cluster}s" if now is None else f"{100 * now:.0f} points"
    return f"{first}; {', '.join(more)} as many {report.cluster}s" if more else first
