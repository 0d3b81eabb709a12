"""What `status` shows: a table of the runs, and more of those that are at work or stand still."""

from __future__ import annotations

from collections.abc import Sequence

import click
import msgspec

from egocross_eval.cli.show.pace import duration
from egocross_eval.cli.show.terminal import fitted_table, wrapped
from egocross_eval.runs.status import ReplicaStatus
from egocross_eval.sweeps.status import Standing


class LiveStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How runs stand, and where their site is served until the verb is stopped."""

    address: str
    """With the token, without which nothing is served."""
    runs: list[Standing]


def print_standings(standings: Sequence[Standing]) -> None:
    """The table, then replicas, failures and what is waited for."""
    headers = ["run", "state", "done", "right", "a second", "left", "tokens/s in", "out"]
    click.echo(fitted_table([_row(one) for one in standings], headers, right="llrrrrrr", drop=2))
    for one in standings:
        for line in _more(one):
            click.echo(wrapped(line, rest="  "))


def _row(one: Standing) -> list[str]:
    status = one.status
    right = status.right_share
    return [
        status.name,
        "broken" if one.error and status.state in ("new", "stopped") else status.state,
        f"{status.done}/{status.total}" if status.total else "",
        "" if right is None else f"{right:.1%}",
        "" if status.rate is None else _number(status.rate),
        "" if status.seconds_left is None else duration(status.seconds_left),
        "" if status.tokens_in is None else f"{status.tokens_in:,.0f}",
        "" if status.tokens_out is None else f"{status.tokens_out:,.0f}",
    ]


def _replica(one: ReplicaStatus) -> str:
    rate = "" if one.rate is None else f", {_number(one.rate)} a second"
    return f"{one.answered} answered{rate}, the last at {one.last[11:19]}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _more(one: Standing) -> list[str]:
    status, lines = one.status, []
    if status.waits:
        lines.append(f"{status.name} {'stands still' if status.state == 'stalled' else 'is loading'}: {status.waits}")
    if status.failures:
        kinds = ", ".join(f"{count} {kind}" for kind, count in status.failures.items())
        lines.append(f"{status.name} failed: {kinds}")
    if len(status.replicas) > 1:
        lines += [f"{status.name}, replica {one.name}: {_replica(one)}" for one in status.replicas]
    if one.error:
        lines.append(f"{status.name} broke: {one.error}")
    return lines
