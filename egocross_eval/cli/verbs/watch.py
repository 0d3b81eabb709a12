"""`egocross-eval watch DIR`: the checkpoints of a training, evaluated as they come."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from egocross_eval.command_options import only_given, options_of_settings
from egocross_eval.replies import Reply, replies
from egocross_eval.runs.options import PARTS, RunOptions

if TYPE_CHECKING:
    from egocross_eval.cli.show.watched import Watched
    from egocross_eval.watching.checkpoints import Found
    from egocross_eval.watching.watch import Watcher


@click.command(name="watch")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--model",
    "-m",
    default="hf:{}",
    show_default=True,
    metavar="SPEC",
    help="Model spec with {} in place of the checkpoint; for LoRA adapters hf:BASE,lora={}.",
)
@click.option("--every", type=click.IntRange(min=1), default=1, metavar="N", help="Only steps that N divides.")
@click.option(
    "--planned",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many checkpoints there will be, for which looks are planned; default: what the trainer's state says.",
)
@click.option(
    "--against",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="RUN",
    help="Run that checkpoints are compared with; default: that of the checkpoint evaluated first.",
)
@click.option(
    "--poll", type=click.FloatRange(min=0.1), default=30.0, show_default=True, metavar="SECONDS", help="Time to wait."
)
@click.option("--once", is_flag=True, help="Evaluate what is there, and don't wait for more.")
@click.option(
    "--output",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="OUT",
    help="Folder of the run folders and the curve; default: DIR-watched.",
)
@options_of_settings(RunOptions, *PARTS.values())
@replies()
def command(
    folder: Path,
    model: str,
    every: int,
    planned: int | None,
    against: Path | None,
    poll: float,
    once: bool,
    output: Path | None,
    **settings: Any,
) -> Reply[Watched]:
    """Evaluate each new checkpoint in DIR once it is whole, and draw the curve of accuracies with its band.

    A checkpoint that isn't whole is passed over, and it's said why. At planned looks, at most five over the whole
    training, it's said whether a checkpoint is better or worse beyond noise. The same command goes on where it was
    stopped; it ends by itself when all planned checkpoints are evaluated.

    \b
    egocross-eval watch runs/training --tasks all --data ROOT --every 50
    egocross-eval watch runs/training --model 'hf:Qwen/Qwen3-VL-4B-Instruct,lora={}' --split support --data ROOT

    Exit codes: 0 all evaluated, 1 a checkpoint couldn't be, 2 wrong usage, 130 interrupted.
    """
    from egocross_eval.cli.show.reporter import Reporter
    from egocross_eval.runs.options import options_from
    from egocross_eval.watching.watch import Asked, Watcher

    asked = Asked(
        folder=folder,
        output=output or folder.with_name(f"{folder.resolve().name}-watched"),
        model=model,
        options=options_from(**only_given(settings)),
        every=every,
        planned=planned or 0,
        against=against,
    )
    notes: set[str] = set()
    with Watcher(asked, lambda one: Reporter(one.name, notes)) as watcher:
        return _watch(watcher, poll=poll, once=once, output=asked.output)


def _watch(watcher: Watcher, *, poll: float, once: bool, output: Path) -> Reply[Watched]:
    import time

    from egocross_eval.cli.show.watched import Watched, print_curve, unseen_weights
    from egocross_eval.sweeps.planned import Made
    from egocross_eval.watching.watch import CURVE_FILE

    broken: set[str] = set()
    said: set[str] = set()

    def after(made: Made) -> None:
        if not made.complete:
            broken.add(made.planned.name)
            click.echo(f"Error: {made.planned.name}: {made.error or 'some questions failed'}", err=True)
        if made.run is not None and (note := unseen_weights(made.run.record.model)) and note not in said:
            said.add(note)
            click.echo(note, err=True)

    print_curve(watcher.record)
    told: dict[str, str] = {}
    between: list[Found] = []
    while True:
        known = watcher.record
        watcher.step(after)
        if watcher.record != known:
            print_curve(watcher.record)
        passed = watcher.passed_over(under_way=once)
        for name, reason in passed.items() - told.items():
            click.echo(f"passed over: {name} isn't whole: {reason}", err=True)
        told = passed
        if (found := watcher.between()) and found != between:
            _say_between(found, watcher.record.every)
        between = found
        if once or watcher.ended():
            break
        time.sleep(poll)
    curve = output / CURVE_FILE if watcher.record.points else None
    if curve is None and not told and not broken and not between:
        click.echo("there is no checkpoint-N folder yet", err=True)
    watched = Watched(output=output, curve=curve, record=watcher.record, broken=sorted(broken), passed_over=told)
    return Reply(value=watched, show=lambda: click.echo(f"curve: {curve}") if curve else None, code=int(bool(broken)))


def _say_between(between: list[Found], every: int) -> None:
    """Says which checkpoints are there at no step that is watched; raises `UsageError` where none will be at one."""
    from egocross_eval.errors import UsageError
    from egocross_eval.watching.checkpoints import schedule_of

    steps = [str(one.step) for one in between]
    listed = ", ".join(steps if len(steps) < 6 else [*steps[:3], "...", steps[-1]])
    there = f"--every {every} divides the step of none of the checkpoints that are there: {listed}"
    schedule = schedule_of(between[0], every)
    if schedule is not None and not schedule.number:
        raise UsageError(f"{there}, and of none that will be; leave --every out, or give a multiple of {steps[0]}")
    click.echo(there, err=True)
