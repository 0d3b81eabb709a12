"""`egocross-eval status RUN|SWEEP`: how runs stand, from their folder alone."""

from __future__ import annotations

from pathlib import Path

import click

from egocross_eval.command_options import format_option
from egocross_eval.visible import json_text


@click.command(name="status")
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="RUN|SWEEP")
@format_option("text", "json")
@click.option("--live", is_flag=True, help="Serve the site of the runs on 127.0.0.1 and keep it up to date.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of --live; default: any that is free.")
def command(path: Path, form: str, live: bool, port: int) -> None:
    """Say how a run, or the runs of a sweep, stand: done, rate, time left, failures, replicas, and what stands still.

    It reads the folder alone, on any machine that sees it. --live needs the extra site; the address that it prints
    holds a token, without which nothing is served. Over SSH: ssh -L PORT:127.0.0.1:PORT HOST.

    \b
    egocross-eval status runs/my-run
    egocross-eval status sweep --live --port 8123
    """
    from egocross_eval.cli.show.status import print_standings
    from egocross_eval.sweeps.status import standings

    found = standings(path)
    if form == "json":
        click.echo(json_text(found))
    else:
        print_standings(found)
    if live:
        from egocross_eval.leaderboard.site.live import LiveSite

        with LiveSite(path, lambda: standings(path), port=port) as site:
            click.echo(f"\n{site.address}  (Ctrl-C ends it)")
            site.keep_up_to_date()
