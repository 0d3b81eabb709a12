"""`egocross-eval --model SPEC --tasks all`: the run, which is also the default verb."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from egocross_eval.cli.options import EventsCommand, load_config
from egocross_eval.cli.show.made_run import BrokenRun, MadeRun, MadeRuns, made_run
from egocross_eval.command_options import only_given, options_of_settings, renamed
from egocross_eval.errors import RunError, UsageError
from egocross_eval.replies import Reply, replies
from egocross_eval.runs.options import PARTS, RunOptions

if TYPE_CHECKING:
    from egocross_eval.api import Run
    from egocross_eval.cli.show.dry_run import DryRun
    from egocross_eval.cli.show.events import Say
    from egocross_eval.model_adapters.spec import ModelSpec
    from egocross_eval.runs.plan import RunPlan


@click.command(name="run", cls=EventsCommand, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("stray", nargs=-1, metavar="")
@click.option(
    "--model",
    "-m",
    multiple=True,
    metavar="SPEC",
    help="scheme:target[,key=value...] or a YAML file; may be repeated. See 'egocross-eval models'.  [required]",
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
@click.option("--events", is_flag=True, help="Say start, progress and end as JSON lines on stdout, and nothing else.")
@click.option("--dry-run", is_flag=True, help="Show what would be asked (counts, frames, bytes, tokens) and stop.")
@click.option(
    "--config",
    is_eager=True,
    expose_value=False,
    callback=load_config,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML file with any of these options; the command line wins.",
)
@replies()
def command(
    stray: tuple[str, ...], model: tuple[str, ...], output: Path | None, events: bool, dry_run: bool, **settings: Any
) -> Reply[MadeRuns | DryRun]:
    """Run models over tasks and write a leaderboard row.

    \b
    egocross-eval --model openai:gpt-4.1 --tasks all --data ROOT --timestamps
    egocross-eval --model hf:./checkpoint --model baseline:chance --tasks animal,surgery
    egocross-eval --config settings.yaml --limit 50 --dry-run

    Exit codes: 0 complete (also where no right answer is known, or a judge is waited for), 1 errors remain or a part of
    the right answers isn't known, 2 wrong usage, 130 interrupted.
    """
    from egocross_eval.cli.show.events import check_alone, event_lines, refusal_told
    from egocross_eval.contracts.registry import registry
    from egocross_eval.runs.telling import followers

    with refusal_told(events):
        if events:
            check_alone(dry_run=dry_run)
        options, specs, plan = _planned(stray, model, settings)
        if len(specs) > 1 or dry_run:
            followers(options, registry())
        if len(specs) > 1 and not dry_run:
            _check_models(specs, plan)
    if dry_run:
        return _dry_run(plan, model)
    if not events:
        return _run_all(_run_one, model, specs, plan, options, output, show=True)
    with event_lines() as say:
        one = functools.partial(_run_for_programs, say)
        return _run_all(one, model, specs, plan, options, output, show=False)


def _planned(
    stray: tuple[str, ...], models: tuple[str, ...], settings: dict[str, Any]
) -> tuple[RunOptions, list[ModelSpec], RunPlan]:
    """What is asked for: all that can be wrong with it before a model is looked at."""
    from click.core import ParameterSource
    from msgspec.structs import replace

    from egocross_eval.contracts.registry import registry
    from egocross_eval.model_adapters.spec import adapter_type, parse_spec, refuse_untyped
    from egocross_eval.runs.options import options_from
    from egocross_eval.runs.plan import plan_run

    _check_arguments(stray, models)
    options = options_from(**only_given(settings))
    if options.name and len(models) > 1:
        raise UsageError("--name names one run; with several models give each its own, as in --model SPEC,name=TEXT")
    specs = [parse_spec(text) for text in models]
    context = click.get_current_context()
    configured = context.get_parameter_source("model") is ParameterSource.DEFAULT_MAP
    for spec in specs:
        kind = adapter_type(spec, registry())
        refuse_untyped(replace(spec, file=spec.file or "config file") if configured else spec, kind)
    return options, specs, plan_run(options, registry())


def _check_models(specs: list[ModelSpec], plan: RunPlan) -> None:
    """All models are checked before the first is asked."""
    from egocross_eval.contracts.registry import registry
    from egocross_eval.runs.plan import check_model

    for spec in specs:
        with contextlib.suppress(RunError):  # its code breaks, which is told when its turn comes
            check_model(plan, spec, registry())


def _dry_run(plan: RunPlan, models: tuple[str, ...]) -> Reply[MadeRuns | DryRun]:
    from egocross_eval.cli.show.dry_run import dry_run, print_dry_run
    from egocross_eval.contracts.registry import registry

    for warning in plan.warnings:
        click.echo(f"note: {warning}", err=True)
    found = dry_run(plan, models, registry())
    return Reply(value=found, show=lambda: print_dry_run(plan, found), code=1 if found.failing else 0)


def _check_arguments(stray: tuple[str, ...], models: tuple[str, ...]) -> None:
    if stray:
        meant = f"; did you mean --model {stray[0]}?" if ":" in stray[0] or stray[0].endswith((".yaml", ".yml")) else ""
        raise UsageError(f"a run takes options only, and {stray[0]!r} belongs to none{meant}")
    if not models:
        raise UsageError("no model: pass --model SPEC ('egocross-eval models' lists what there is)")


def _run_all(
    run_one: Callable[..., Run],
    texts: tuple[str, ...],
    specs: list[ModelSpec],
    plan: RunPlan,
    options: RunOptions,
    output: Path | None,
    *,
    show: bool,
) -> Reply[MadeRuns | DryRun]:
    """One that breaks doesn't stop the others."""
    from egocross_eval.api import default_output
    from egocross_eval.contracts.faults import as_ours
    from egocross_eval.files import slug
    from egocross_eval.runs.store import RECORD_FILE

    if len(specs) == 1:
        only = run_one(texts[0], specs[0], plan, options, output, set())
        return Reply(value=MadeRuns(runs=[made_run(only)]), code=_exit_code(only))
    runs, broken, codes = list[MadeRun](), list[BrokenRun](), list[int]()
    notes: set[str] = set()
    for text, spec in zip(texts, specs, strict=True):
        path = default_output(spec, options) if output is None else output / slug(spec.text)
        try:
            made = run_one(text, spec, plan, options, path, notes)
        except Exception as raised:
            error = as_ours(raised)
            click.echo(f"Error: {spec.text}: {error}", err=True)
            kept = path if (path / RECORD_FILE).is_file() else None
            broken.append(BrokenRun(run=kept, model=spec.text, error=str(error), exit_code=error.exit_code))
            codes.append(error.exit_code)
            continue
        runs.append(made_run(made))
        codes.append(_exit_code(made))
    board = _write_board([made.run for made in runs], output, total=len(specs), show=show) if runs else None
    return Reply(value=MadeRuns(runs=runs, broken=broken, leaderboard=board), code=max(codes))


def _exit_code(run: Run) -> int:
    return 0 if run.results.complete else 1


def _write_board(paths: list[Path], output: Path | None, *, total: int, show: bool) -> Path:
    """The models of one command on one leaderboard; its file."""
    from egocross_eval.cli.show.terminal import on_screen
    from egocross_eval.leaderboard.together import write_board
    from egocross_eval.runs.store import LEADERBOARD_FILE

    folder = output or paths[0].with_name(f"{paths[0].name}-together")
    board = write_board(paths, folder)
    file = folder / LEADERBOARD_FILE
    if not show:
        return file
    of = f"all {total}" if len(paths) == total else f"{len(paths)} of {total}"
    click.echo(f"\n{of} models:\n")
    click.echo(on_screen(board).rstrip("\n"))
    click.echo(f"\nleaderboard: {file}")
    return file


def _run_one(
    text: str, spec: ModelSpec, plan: RunPlan, options: RunOptions, output: Path | None, notes: set[str]
) -> Run:
    from egocross_eval.api import default_output, run
    from egocross_eval.cli.show.end_of_run import print_end
    from egocross_eval.cli.show.judgings import JudgeReporter, print_judgings
    from egocross_eval.cli.show.reporter import Reporter
    from egocross_eval.errors import RunError
    from egocross_eval.runs.store import SAMPLES_FILE
    from egocross_eval.training.card import warnings_for_model

    path = output or default_output(spec, options)
    for warning in warnings_for_model(spec.target, spec.options, plan.settings):
        click.echo(f"note: {warning}", err=True)
    reporter = Reporter(options.name or spec.display_name, notes)
    judges = JudgeReporter(reporter)
    try:
        made = run(options, text, output=path, on_event=judges, plan=plan)
    except (KeyboardInterrupt, RunError) as error:
        kept = (path / SAMPLES_FILE).is_file()
        what = "what was answered is kept. To go on: the same command with" if kept else "nothing was answered yet:"
        stopped = "interrupted; " if isinstance(error, KeyboardInterrupt) else ""
        if kept or stopped:
            click.echo(f"{stopped}{what} {f'--output {path}' if kept else 'no run folder was left'}", err=True)
        raise
    print_end(made)
    reporter.print_summary(made.path, made.results)
    if options.judge:
        print_judgings(made.judgings)
        judges.print_summaries(made.judgings)
    return made


def _run_for_programs(
    say: Say, text: str, spec: ModelSpec, plan: RunPlan, options: RunOptions, output: Path | None, notes: set[str]
) -> Run:
    from egocross_eval.api import default_output, run
    from egocross_eval.cli.show.events import EventLines, say_failed
    from egocross_eval.contracts.faults import as_ours
    from egocross_eval.training.card import warnings_for_model

    path = output or default_output(spec, options)
    try:
        for warning in warnings_for_model(spec.target, spec.options, plan.settings):
            click.echo(f"note: {warning}", err=True)
        return run(options, text, output=path, on_event=EventLines(say), plan=plan)
    except Exception as error:
        say_failed(say, path, spec.text, as_ours(error))
        raise
