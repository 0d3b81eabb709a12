"""`egocross-eval status RUN|SWEEP`: how runs stand, from their folder alone."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.cli.show.status import LiveStatus
    from egocross_eval.sweeps.status import Standing


@click.command(name="status")
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="RUN|SWEEP")
@replies()
@click.option("--live", is_flag=True, help="Serve the site of the runs on 127.0.0.1 and keep it up to date.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of --live; default: any that is free.")
def command(path: Path, live: bool, port: int) -> Reply[list[Standing] | LiveStatus]:
    """Say how a run, or the runs of a sweep, stand: done, rate, time left, failures, replicas, and what stands still.

    It reads the folder alone, on any machine that sees it. --live needs the extra site; the address that it prints
    holds a token, without which nothing is served. Over SSH: ssh -L PORT:127.0.0.1:PORT HOST.

    \b
    egocross-eval status runs/my-run
    egocross-eval status sweep --live --port 8123
    """
    from egocross_eval.cli.show.status import LiveStatus, print_standings
    from egocross_eval.sweeps.status import standings

    found = standings(path)
    if not live:
        return Reply(value=found, show=lambda: print_standings(found))
    from egocross_eval.leaderboard.site.live import LiveSite

    stack = ExitStack()
    site = stack.enter_context(LiveSite(path, lambda: standings(path), port=port))

    def show() -> None:
        print_standings(found)
        click.echo(f"\n{site.address}  (Ctrl-C ends it)")

    def serve() -> None:
        with stack:
            site.keep_up_to_date()

    return Reply(value=LiveStatus(address=site.address, runs=found), show=show, then=serve)
