"""`egocross-eval tune FILE.yaml`: which of several ways to ask helps, and whether these questions can tell."""

from __future__ import annotations

from pathlib import Path

import click

from egocross_eval.cli.options import planned_file

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
def command(file: Path, output: Path | None, dry_run: bool, like: tuple[Path, ...]) -> int:
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
    from egocross_eval.tuning.file import read_tuning

    tuning = read_tuning(file, output, registry())
    if dry_run:
        from egocross_eval.cli.show.sweep_plan import print_sweep_plan

        return print_sweep_plan(tuning.sweep, like)
    from egocross_eval.cli.verbs.sweep import carry_out_and_tell

    if code := carry_out_and_tell(tuning.sweep):
        click.echo("nothing is chosen before all runs are finished", err=True)
        return code
    from egocross_eval.cli.show.tuned import print_tuned
    from egocross_eval.tuning.tune import finish

    print_tuned(*finish(tuning, registry()))
    return 0
