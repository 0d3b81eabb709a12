"""`egocross-eval demo DIR`: the main job from nothing, in minutes, on a CPU and offline."""

from __future__ import annotations

import shlex
from pathlib import Path

import click


@click.command(name="demo")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), default="demo")
def command(directory: Path) -> int:
    """Run the main job from nothing: write the demo benchmark and a tiny Qwen3-VL below DIRECTORY, run it and baselines
    through the harness, and write their leaderboard. Needs the extra hf. Each command line is shown before it runs; run
    again, it goes on where it was.

    \b
    egocross-eval demo ./demo
    """
    benchmark, model, runs = directory / "benchmark", directory / "model", directory / "runs"
    if not (benchmark / "egocross_testbed").is_dir():
        _run("data", "demo", str(benchmark))
    if not (model / "config.json").is_file():
        _run("models", "build-tiny", str(model))
    settings = ["--data", str(benchmark), "--tasks", "all", "--answer", "choose", "--max-pixels", "4096"]
    specs = {
        "tiny": f"hf:{model},name=tiny Qwen3-VL (random weights)",
        "chance": "baseline:chance",
        "longest": "baseline:longest",
        "position": f"baseline:position,support={benchmark / 'egocross_support_set' / 'train.json'}",
    }
    codes = [_run("run", "--model", spec, *settings, "--output", str(runs / name)) for name, spec in specs.items()]
    table = directory / "leaderboard.md"
    folders = [str(runs / name) for name in specs]
    _run("leaderboard", *folders, "--no-published", "--intervals", "--output", str(table))
    click.echo(table.read_text(encoding="utf-8"))
    click.echo(f"benchmark    {benchmark}")
    click.echo(f"model        {model}")
    click.echo(f"run folders  {runs}")
    click.echo(f"leaderboard  {table}")
    click.echo("\nThe weights are random: expect chance, about 25 %. Your own model takes the same command line.")
    return max(codes)


def _run(verb: str, *arguments: str) -> int:
    from egocross_eval.cli.main import cli

    shown = arguments if verb == "run" else (verb, *arguments)
    click.echo(f"\n$ egocross-eval {shlex.join(shown)}", err=True)
    code = cli.main(args=[verb, *arguments], prog_name="egocross-eval", standalone_mode=False)
    return code if isinstance(code, int) else 0
