"""`egocross-eval sweep FILE.yaml`: many models, asked in many ways, on one leaderboard."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from egocross_eval.cli.options import EventsCommand, planned_file
from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.cli.show.events import SweepEvents
    from egocross_eval.cli.show.sweep_plan import SweepPlan
    from egocross_eval.cli.show.sweep_progress import SweepProgress, Swept
    from egocross_eval.sweeps.file import Sweep
    from egocross_eval.sweeps.planned import Plans
    from egocross_eval.sweeps.record import SweepFolder

EXAMPLE = """\b
models: ["hf:checkpoints/checkpoint-*", "openai:gpt-4.1,concurrency=16"]
options: {data: /data/egocross, tasks: all}
settings: {plain: {}, timed: {timestamps: true}}
vary: {frames: ["uniform:8", all]}
"""


@click.command(name="sweep", cls=EventsCommand, epilog=EXAMPLE)
@planned_file
@click.option("--events", is_flag=True, help="Say start, progress and end as JSON lines on stdout, and nothing else.")
@replies()
def command(
    file: Path, output: Path | None, events: bool, dry_run: bool, like: tuple[Path, ...]
) -> Reply[Swept | SweepPlan]:
    """Run the models of FILE in every way that it names: one run folder each, and their leaderboard after each.

    The same command goes on where it was stopped: what is finished is not asked again. A run that breaks doesn't stop
    the others.

    \b
    egocross-eval sweep sweep.yaml --dry-run
    egocross-eval sweep sweep.yaml

    Exit codes: 0 all answered, 1 errors remain, 2 wrong usage, 130 interrupted.
    """
    from egocross_eval.cli.show.events import SweepEvents, check_alone, event_lines, refusal_told
    from egocross_eval.sweeps.file import read_sweep
    from egocross_eval.sweeps.planned import Plans

    plans = Plans()
    with refusal_told(events):
        if events:
            check_alone(dry_run=dry_run)
        sweep = read_sweep(file, output)
        folder = None if dry_run else made_ready(sweep, plans)
    if folder is None:
        from egocross_eval.cli.show.sweep_plan import sweep_plan_reply

        return sweep_plan_reply(sweep, like)
    if not events:
        return carry_out_and_tell(sweep, folder, plans)
    with event_lines() as say:
        return carry_out_and_tell(sweep, folder, plans, functools.partial(SweepEvents, say=say))


def made_ready(sweep: Sweep, plans: Plans) -> SweepFolder:
    """The folder of a sweep, once all its runs are planned: what can't be done is refused before anything begins."""
    from egocross_eval.contracts.registry import registry
    from egocross_eval.runs.telling import followers
    from egocross_eval.sweeps.record import SweepFolder

    for one in sweep.runs:
        plans(one.options, one.way_at)
    for options in {one.options.track: one.options for one in sweep.runs}.values():
        followers(options, registry())  # made anew for each run: here for what is missing
    return SweepFolder(sweep)


def carry_out_and_tell(
    sweep: Sweep,
    folder: SweepFolder,
    plans: Plans,
    told: Callable[[Sweep, SweepFolder], SweepProgress | SweepEvents] | None = None,
) -> Reply[Swept]:
    """Carries out a sweep that is made ready; `told` makes what is told of its runs, by default for people."""
    from egocross_eval.cli.show.sweep_progress import SweepProgress, swept
    from egocross_eval.sweeps.planned import carry_out
    from egocross_eval.sweeps.side_by_side import carry_out_side_by_side

    progress = (told or SweepProgress)(sweep, folder)
    if sweep.at_once == 1:
        made = carry_out(sweep.runs, watch=progress.begin, after=progress.end, plans=plans)
    else:
        made = carry_out_side_by_side(sweep.runs, sweep.at_once, begin=progress.begin, after=progress.end)
    return Reply(value=swept(sweep, made), code=progress.print_end(made))
