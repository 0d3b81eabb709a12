"""`egocross-eval --model SPEC --tasks all`: the run, which is also the default verb."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from egocross_eval.cli.options import data_options, load_config, prompt_options

if TYPE_CHECKING:
    from egocross_eval.runs.plan import RunOptions, RunPlan
    from egocross_eval.runs.session import Session
    from egocross_eval.schema import Results


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
    "--tasks",
    "-t",
    default="all",
    show_default=True,
    metavar="NAMES",
    help="Names and globs, comma-separated. See 'egocross-eval tasks'.",
)
@data_options
@click.option(
    "--output",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Run folder (with several models: their parent); default: a new one below runs/. The same command resumes it.",
)
@prompt_options
@click.option(
    "--answer",
    type=click.Choice(["generate", "choose", "constrained"]),
    default="generate",
    show_default=True,
    help="Generate text and extract the letter, choose by the log-probabilities of the letters, or generate with "
    "decoding constrained to the letters.",
)
@click.option("--max-new-tokens", type=int, default=1024, show_default=True, help="Bound of generated tokens.")
@click.option("--temperature", type=float, default=0.0, show_default=True, help="0 decodes greedily.")
@click.option("--top-p", type=float, default=1.0, show_default=True, help="Nucleus sampling.")
@click.option("--limit", type=int, metavar="N", help="Ask only N questions, drawn by the seed over all domains.")
@click.option("--seed", type=int, default=0, show_default=True, help="For sampling and --limit.")
@click.option(
    "--votes",
    default="",
    metavar="rotate|sample:N",
    help="Ask each question under all rotations of its options, or N times, and sum the evidence for the options.",
)
@click.option("--cache/--no-cache", default=True, show_default=True, help="Use the response cache shared by all runs.")
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
    from egocross_eval.runs.plan import RunOptions, plan_run

    options = RunOptions(**settings)
    for text in model:
        registry().adapter_type(parse_spec(text).scheme)
    plan = plan_run(options, registry())
    for warning in plan.warnings:
        click.echo(f"note: {warning}", err=True)
    if dry_run:
        from egocross_eval.cli.show.dry_run import print_dry_run

        print_dry_run(plan, model, registry())
        return 0
    ended = [_run_one(spec, plan, options, output, several=len(model) > 1) for spec in model]
    if len(ended) > 1:
        _say_board([path for _, path in ended])
    return max(code for code, _ in ended)


def _say_board(paths: list[Path]) -> None:
    """The models of one command on one leaderboard."""
    from egocross_eval.leaderboard.collect import rows_from
    from egocross_eval.leaderboard.render import render

    click.echo(f"\nall {len(paths)} models:\n")
    click.echo(render(rows_from(paths), "md", intervals="half-width").rstrip("\n"))


def _run_one(text: str, plan: RunPlan, options: RunOptions, output: Path | None, *, several: bool) -> tuple[int, Path]:
    from egocross_eval.api import default_output, prepare, slug
    from egocross_eval.cli.show.progress import Bar
    from egocross_eval.contracts.registry import registry
    from egocross_eval.errors import RunError
    from egocross_eval.model_adapters.spec import build_adapter, parse_spec
    from egocross_eval.runs.session import run_session
    from egocross_eval.runs.store import SAMPLES_FILE
    from egocross_eval.training.card import warnings_for_model

    spec = parse_spec(text)
    path = output or default_output(spec, options)
    if output is not None and several:
        path = output / slug(spec.text)
    adapter = build_adapter(spec, registry())
    for warning in warnings_for_model(spec.target, spec.options, plan.settings):
        click.echo(f"note: {warning}", err=True)
    try:
        session = prepare(plan, spec, adapter, registry(), path)
        _say_start(session)
        results = run_session(session, registry(), Bar(spec.display_name), use_cache=options.cache)
    except KeyboardInterrupt:
        click.echo(f"interrupted; what was answered is kept. To go on: the same command with --output {path}", err=True)
        raise
    except RunError:
        if (path / SAMPLES_FILE).is_file():
            click.echo(f"what was answered is kept. To go on: the same command with --output {path}", err=True)
        raise
    finally:
        adapter.close()
    _say_end(session, results)
    return (0 if results.counts.get("errored", 0) + results.counts.get("missing", 0) == 0 else 1), path


def _say_start(session: Session) -> None:
    if session.done and session.pending:
        click.echo(
            f"resuming {session.folder.path}: {len(session.done)} answered, {len(session.pending)} to ask", err=True
        )
    elif not session.pending:
        click.echo(f"{session.folder.path} is finished: nothing to ask", err=True)


def _say_end(session: Session, results: Results) -> None:
    from egocross_eval.cli.show.summary import print_failures
    from egocross_eval.runs.store import LEADERBOARD_FILE

    folder = session.folder
    click.echo((folder.path / LEADERBOARD_FILE).read_text(encoding="utf-8").rstrip("\n"))
    samples = folder.samples()
    cached = sum(sample.response.cached for sample in samples)
    if cached:
        click.echo(f"\n{cached} of {len(samples)} answers came from the response cache (--no-cache asks again).")
    print_failures(samples, folder.path)
    if results.rotations:
        asked, position, content = (results.rotations[name] for name in ("asked", "position", "content"))
        click.echo(
            f"\nover {asked} questions with all rotations answered: the same place every time on {position}, "
            f"the same option every time on {content}"
        )
    click.echo(f"\nrun folder: {folder.path}")
    if results.micro is None and not results.counts.get("errored"):
        click.echo(f"answers are not known here: 'egocross-eval submit {folder.path}' writes the submission")
    sys.stdout.flush()
