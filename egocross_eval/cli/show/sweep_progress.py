"""What a sweep says while it goes on, and at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from egocross_eval.cli.show.reporter import Reporter
from egocross_eval.cli.show.terminal import on_screen
from egocross_eval.contracts.event import Event
from egocross_eval.runs.store import LEADERBOARD_FILE
from egocross_eval.sweeps.file import Sweep
from egocross_eval.sweeps.planned import Made, PlannedRun
from egocross_eval.sweeps.record import SweepFolder


class SweepProgress:
    """A line and a bar for each run; the leaderboard is written after each and shown at the end."""

    def __init__(self, sweep: Sweep, folder: SweepFolder) -> None:
        self._sweep, self._folder = sweep, folder
        self._notes: set[str] = set()
        self._begun = 0
        self._board = ""

    def begin(self, planned: PlannedRun) -> Callable[[Event], None]:
        """Says which run's turn it is; what is to be told of its events."""
        self._begun += 1
        click.echo(f"[{self._begun}/{len(self._sweep.runs)}] {planned.name}", err=True)
        return Reporter(planned.name, self._notes)

    def end(self, made: Made) -> None:
        """Writes the leaderboard anew, and says what broke."""
        self._board = self._folder.take(made)
        if self._sweep.at_once > 1 and made.error is None:
            click.echo(f"{made.planned.name}: {'finished' if made.complete else 'some questions failed'}", err=True)
        if made.error is not None:
            click.echo(f"Error: {made.planned.name}: {made.error}", err=True)

    def print_end(self, made: Sequence[Made]) -> int:
        """Shows the leaderboard and what is open; the exit code."""
        if self._board:
            click.echo(on_screen(self._board).rstrip("\n"))
            click.echo(f"\nleaderboard: {self._sweep.output / LEADERBOARD_FILE}")
        broken = [one for one in made if one.error is not None]
        if open_ := [one for one in made if not one.complete]:
            failed = f", {len(broken)} of them broke" if broken else ""
            click.echo(f"{len(open_)} of {len(made)} runs are open{failed}; the same command goes on", err=True)
        return exit_code(made)


def exit_code(made: Sequence[Made]) -> int:
    """That of what broke, or 1 where questions are left."""
    left = [1] if any(not one.complete for one in made) else []
    return max([0, *left, *(one.error.exit_code for one in made if one.error is not None)])
