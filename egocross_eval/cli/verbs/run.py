"""`egocross-eval --model SPEC --tasks all`: the run, which is also the default verb."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from egocross_eval.cli.options import load_config
from egocross_eval.command_options import options_of_settings, renamed
from egocross_eval.runs.options import PARTS, RunOptions

if TYPE_CHECKING:
    from egocross_eval.api import Run
    from egocross_eval.runs.plan import RunPlan


@click.command(name="run", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--model",
    "-m",
    multiple=True,
    required=True,
    metavar="SPEC",
    help="scheme:target[,key=value...] or a YAML file; may be repeated. See 'egocross-eval models'.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Run folder (with several models: their parent); default: a new one below runs/. The same command resumes it.",
)
@options_of_settings(RunOptions, *PARTS.values())
@renamed("--votes", "--method")
@click.option("--dry-run", is_flag=True, help="Show what would be asked (counts, frames, bytes, tokens) and stop.")
@click.option(
    "--config",
    is_eager=True,
    expose_value=False,
    callback=load_config,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML file with any of these options; the command line wins.",
)
def command(model: tuple[str, ...], output: Path | None, dry_run: bool, **settings: Any) -> int:
    """Run models over tasks and write a leaderboard row.

    \b
    egocross-eval --model openai:gpt-4.1 --tasks all --data ROOT --timestamps
    egocross-eval --model hf:./checkpoint --model baseline:chance --tasks animal,surgery
    egocross-eval --config settings.yaml --limit 50 --dry-run

    Exit codes: 0 all answered, 1 errors remain, 2 wrong usage, 130 interrupted.
    """
    from egocross_eval.contracts.registry import registry
    from egocross_eval.model_adapters.spec import parse_spec
    from egocross_eval.runs.options import options_from
    from egocross_eval.runs.plan import plan_run

    options = options_from(**settings)
    for text in model:
        registry().adapter_type(parse_spec(text).scheme)
    plan = plan_run(options, registry())
    if dry_run:
        from egocross_eval.cli.show.dry_run import print_dry_run

        for warning in plan.warnings:
            click.echo(f"note: {warning}", err=True)
        print_dry_run(plan, model, registry())
        return 0
    runs = [_run_one(spec, plan, options, output, several=len(model) > 1) for spec in model]
    if len(runs) > 1:
        _say_board([run.path for run in runs])
    return max(_exit_code(run) for run in runs)


def _exit_code(run: Run) -> int:
    counts = run.results.counts
    return 1 if counts.get("errored", 0) + counts.get("missing", 0) else 0


def _say_board(paths: list[Path]) -> None:
    """The models of one command on one leaderboard."""
    from egocross_eval.leaderboard.collect import rows_from
    from egocross_eval.leaderboard.render import render

    click.echo(f"\nall {len(paths)} models:\n")
    click.echo(render(rows_from(paths), "md", intervals="half-width").rstrip("\n"))


def _run_one(text: str, plan: RunPlan, options: RunOptions, output: Path | None, *, several: bool) -> Run:
    from egocross_eval.api import default_output, run, slug
    from egocross_eval.cli.show.reporter import Reporter
    from egocross_eval.errors import RunError
    from egocross_eval.model_adapters.spec import parse_spec
    from egocross_eval.runs.store import SAMPLES_FILE
    from egocross_eval.training.card import warnings_for_model

    spec = parse_spec(text)
    path = output or default_output(spec, options)
    if output is not None and several:
        path = output / slug(spec.text)
    for warning in warnings_for_model(spec.target, spec.options, plan.settings):
        click.echo(f"note: {warning}", err=True)
    reporter = Reporter(spec.display_name)
    try:
        made = run(options, text, output=path, on_event=reporter, plan=plan)
    except KeyboardInterrupt:
        click.echo(f"interrupted; what was answered is kept. To go on: the same command with --output {path}", err=True)
        raise
    except RunError:
        if (path / SAMPLES_FILE).is_file():
            click.echo(f"what was answered is kept. To go on: the same command with --output {path}", err=True)
        raise
    _say_end(made, reporter)
    return made


def _say_end(run: Run, reporter: Any) -> None:
    from egocross_eval.runs.store import LEADERBOARD_FILE

    click.echo((run.path / LEADERBOARD_FILE).read_text(encoding="utf-8").rstrip("\n"))
    results = run.results
    reporter.print_summary(run.path, results)
    if results.rotations:
        asked, position, content = (results.rotations.get(name, 0) for name in ("asked", "position", "content"))
        click.echo(
            f"\nover {asked} questions with all rotations answered: the same place every time on {position}, "
            f"the same option every time on {content}"
        )
    click.echo(f"\nrun folder: {run.path}")
    if results.micro is None and not results.counts.get("errored"):
        click.echo(f"answers are not known here: 'egocross-eval submit {run.path}' writes the submission")
    sys.stdout.flush()
