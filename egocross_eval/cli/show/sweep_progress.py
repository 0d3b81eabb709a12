"""What a sweep says while it goes on, and at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click
import msgspec

from egocross_eval.cli.show.events import Share, share_of
from egocross_eval.cli.show.reporter import Reporter
from egocross_eval.cli.show.terminal import on_screen
from egocross_eval.contracts.event import Event
from egocross_eval.counted import agreed, counted
from egocross_eval.runs.store import LEADERBOARD_FILE
from egocross_eval.sweeps.file import Sweep
from egocross_eval.sweeps.planned import Made, PlannedRun
from egocross_eval.sweeps.record import SweepFolder


class SweptRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a sweep that had its turn."""

    name: str
    run: Path
    model: str
    setting: dict[str, str]
    """What tells it from the others of its model."""
    complete: bool
    """Every question is answered."""
    error: str = ""
    """Why it broke."""
    micro: Share | None = None
    macro: Share | None = None


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a sweep."""

    output: Path
    leaderboard: Path | None
    """None where no run is there."""
    runs: tuple[SweptRun, ...]


def swept(sweep: Sweep, made: Sequence[Made]) -> Swept:
    """A sweep for programs."""
    board = sweep.output / LEADERBOARD_FILE
    runs = tuple(map(_swept_run, made))
    return Swept(output=sweep.output, leaderboard=board if board.is_file() else None, runs=runs)


def _swept_run(made: Made) -> SweptRun:
    results = made.run.results if made.run is not None else None
    return SweptRun(
        name=made.planned.name,
        run=made.planned.folder,
        model=made.planned.model,
        setting=made.planned.setting,
        complete=made.complete,
        error=str(made.error or ""),
        micro=share_of(results.micro) if results is not None else None,
        macro=share_of(results.macro) if results is not None else None,
    )


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
            click.echo(
                f"{len(open_)} of {counted(len(made), 'run')} {agreed(len(open_), 'is', 'are')} open{failed}; "
                "the same command goes on",
                err=True,
            )
        return exit_code(made)


def exit_code(made: Sequence[Made]) -> int:
    """That of what broke, or 1 where questions are left."""
    left = [1] if any(not one.complete for one in made) else []
    return max([0, *left, *(one.error.exit_code for one in made if one.error is not None)])
