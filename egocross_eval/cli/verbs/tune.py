"""`egocross-eval tune FILE.yaml`: which of several ways to ask helps, and whether these questions can tell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from egocross_eval.cli.options import planned_file
from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.cli.show.sweep_plan import SweepPlan
    from egocross_eval.cli.show.sweep_progress import Swept
    from egocross_eval.cli.show.tuned import Chosen

EXAMPLE = """\b
models: ["hf:./checkpoint"]
options: {data: /data/egocross}
settings:
  plain: {}
  timed: {timestamps: true}
  verify: {timestamps: true, method: verify}
  shots: {shots: "2"}
  omniego: {strategy: omniego}
"""


@click.command(name="tune", epilog=EXAMPLE)
@planned_file
@replies()
def command(
    file: Path, output: Path | None, dry_run: bool, like: tuple[Path, ...]
) -> Reply[Chosen | Swept | SweepPlan]:
    """Choose among the ways to ask that FILE names, by labelled questions; by default those of the support set.

    FILE is that of a sweep. Each way is a run, gone on with by the same command; then `chosen.yaml` is written, a
    strategy file. It keeps the cheaper way where the questions can't tell, and one way for all groups unless they say
    otherwise.

    \b
    egocross-eval tune tune.yaml --dry-run
    egocross-eval tune tune.yaml

    Exit codes: 0 chosen, 1 runs are open, 2 wrong usage, 130 interrupted.
    """
    from egocross_eval.contracts.registry import registry
    from egocross_eval.sweeps.planned import Plans
    from egocross_eval.tuning.check import check_models, checked, unknown_note
    from egocross_eval.tuning.file import read_tuning

    plans = Plans()
    tuning = checked(read_tuning(file, output, registry()), plans)
    if note := unknown_note(tuning, plans):
        click.echo(f"note: {note}", err=True)
    if dry_run:
        from egocross_eval.cli.show.sweep_plan import sweep_plan_reply

        return sweep_plan_reply(tuning.sweep, like, plans)
    from egocross_eval.cli.verbs.sweep import carry_out_and_tell, made_ready

    check_models(tuning, plans)
    runs = carry_out_and_tell(tuning.sweep, made_ready(tuning.sweep, plans), plans)
    if runs.code:
        click.echo("nothing is chosen before all runs are finished", err=True)
        return runs
    from egocross_eval.cli.show.tuned import Chosen, print_tuned
    from egocross_eval.tuning.tune import finish

    report, strategy = finish(tuning, registry())
    return Reply(value=Chosen(strategy=strategy, tuned=report), show=lambda: print_tuned(report, strategy))
