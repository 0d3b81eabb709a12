"""Options that several verbs share, and the YAML config file behind them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from egocross_eval.errors import UsageError, did_you_mean

F = TypeVar("F", bound=Callable[..., Any])


def load_config(ctx: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """Takes the defaults of the other options from a YAML file; what stands on the command line wins."""
    if value is None:
        return None
    import yaml

    try:
        raw = yaml.safe_load(value.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"config file {value}: {error}") from error
    if raw is None:
        raw = {}
    if not isinstance(raw, dict):
        raise UsageError(f"config file {value} must be a mapping of option names to values")
    known = {p.name for p in ctx.command.params if p.name and p.name != parameter.name}
    defaults: dict[str, Any] = {}
    for key, entry in raw.items():
        name = str(key).replace("-", "_")
        if name not in known:
            options = sorted(k.replace("_", "-") for k in known)
            raise UsageError(
                f"config file {value}: unknown option {key!r}{did_you_mean(str(key), options)}; "
                f"known: {', '.join(options)}"
            )
        defaults[name] = [entry] if name == "model" and isinstance(entry, str) else entry
    ctx.default_map = {**defaults, **(ctx.default_map or {})}
    return value


def data_options(function: F) -> F:
    """`--data`, `--split`, `--questions`, `--answers`."""
    for decorate in (
        click.option(
            "--answers",
            "answers_file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Answers file; default: egocross_testbed_answers.json below the data root, if there.",
        ),
        click.option(
            "--questions",
            "questions_file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Questions file; default: egocross_testbed_imgs.json below the data root.",
        ),
        click.option(
            "--split",
            type=click.Choice(["testbed", "support", "demo"]),
            default="testbed",
            show_default=True,
            help="demo needs no data: a small benchmark is generated.",
        ),
        click.option(
            "--data",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="ROOT",
            help="Data root with egocross_testbed/ and egocross_support_set/; default: $EGOCROSS_DATA.",
        ),
    ):
        function = decorate(function)
    return function


def prompt_options(function: F) -> F:
    """`--style`, `--frames`, `--media`, `--timestamps`, `--max-pixels`."""
    for decorate in (
        click.option("--max-pixels", type=int, metavar="N", help="Pixel budget per frame (width x height)."),
        click.option("--timestamps/--no-timestamps", help="Write each frame's time beside it."),
        click.option(
            "--media",
            type=click.Choice(["images", "video"]),
            default="images",
            show_default=True,
            help="Frames as images, or as one video with true times.",
        ),
        click.option(
            "--frames",
            default="all",
            show_default=True,
            metavar="CHOICE",
            help="all, uniform:N, tail:N, or none (the blind baseline).",
        ),
        click.option(
            "--style",
            default="letter",
            show_default=True,
            metavar="NAME|FILE.j2",
            help="Prompt style: letter, json, challenge, a plugin's, or a Jinja2 template file.",
        ),
    ):
        function = decorate(function)
    return function
