"""`egocross-eval demo DIR`: the main job from nothing, in minutes, on a CPU and offline."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import click
import msgspec

from egocross_eval.replies import Reply, replies

_SETTINGS = (
    "--tasks",
    "all",
    "--style",
    "challenge",
    "--frames",
    "uniform:1",
    "--max-pixels",
    "8192",
    "--answer",
    "choose",
)
"""As the shipped model was trained (its card says so)."""


class DemoMade(msgspec.Struct, frozen=True, kw_only=True):
    """What the demonstration left."""

    benchmark: Path
    models: dict[str, Path]
    runs: dict[str, Path]
    leaderboard: Path


@click.command(name="demo")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), default="demo")
@replies()
def command(directory: Path) -> Reply[DemoMade]:
    """Run the main job from nothing: write the demo benchmark below DIRECTORY, run a small Qwen3-VL before and after
    its training (LLaMA-Factory, by 'egocross-eval train') and two baselines over it, and write their leaderboard.

    Needs the extra hf. Each command line is shown before it runs; run again, it goes on where it was.

    \b
    egocross-eval demo ./demo
    """
    benchmark, base, trained, runs = (directory / name for name in ("benchmark", "base", "trained", "runs"))
    if not (benchmark / "egocross_testbed").is_dir():
        _run("data", "demo", str(benchmark))
    if not (base / "config.json").is_file():
        _run("models", "build-tiny", str(base), "--frame-pixels", "8192")
    if not (trained / "config.json").is_file():
        shutil.copytree(Path(__file__).parents[2] / "training" / "demo_model", trained)
    specs = {
        "trained": f"hf:{trained},name=small Qwen3-VL after training",
        "base": f"hf:{base},name=small Qwen3-VL with random weights",
        "chance": "baseline:chance",
        "position": f"baseline:position,support={benchmark / 'egocross_support_set' / 'train.json'}",
    }
    codes = [
        _run("run", "--model", spec, "--data", str(benchmark), *_SETTINGS, "--output", str(runs / name))
        for name, spec in specs.items()
    ]
    _run("compare", str(runs / "base"), str(runs / "trained"))
    table = directory / "leaderboard.md"
    folders = {name: runs / name for name in specs}
    _run("leaderboard", *map(str, folders.values()), "--no-published", "--intervals", "--output", str(table))
    models = {"base": base, "trained": trained}
    found = DemoMade(benchmark=benchmark, models=models, runs=folders, leaderboard=table)
    return Reply(value=found, show=lambda: _show(found, runs), code=max(codes))


def _show(found: DemoMade, runs: Path) -> None:
    from egocross_eval.cli.show.terminal import on_screen

    click.echo(on_screen(found.leaderboard.read_text(encoding="utf-8")))
    click.echo(f"benchmark    {found.benchmark}")
    click.echo(f"models       {', '.join(map(str, found.models.values()))}")
    click.echo(f"run folders  {runs}")
    click.echo(f"leaderboard  {found.leaderboard}")
    click.echo(
        "\nThe trained model knows seven question types that one frame shows, of all domains; elsewhere it guesses."
    )


def _run(verb: str, *arguments: str) -> int:
    from egocross_eval.cli.main import cli

    shown = arguments if verb == "run" else (verb, *arguments)
    click.echo(f"\n$ egocross-eval {shlex.join(shown)}", err=True)
    code = cli.main(args=[verb, *arguments], prog_name="egocross-eval", standalone_mode=False)
    return code if isinstance(code, int) else 0
