"""Options that several verbs share, and the YAML config file behind them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from egocross_eval.documents import read_yaml
from egocross_eval.errors import UsageError, did_you_mean

F = TypeVar("F", bound=Callable[..., Any])


def load_config(ctx: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """Takes the defaults of the other options from a YAML file; what stands on the command line wins."""
    if value is None:
        return None
    raw = read_yaml(value, dict[str, Any], what="config file")
    names = {
        option.lstrip("-").replace("-", "_"): p
        for p in ctx.command.params
        for option in (*p.opts, *p.secondary_opts, p.name or "")
        if p.name and p.name != parameter.name and not option.startswith("--no-")
    }
    defaults: dict[str, Any] = {}
    for key, entry in raw.items():
        name = str(key).replace("-", "_")
        if name not in names:
            known = sorted({p.opts[-1 if len(p.opts[0]) < 3 else 0].lstrip("-") for p in names.values()})
            raise UsageError(
                f"config file {value}: unknown option {key!r}{did_you_mean(str(key), known)}; known: {', '.join(known)}"
            )
        option = names[name]
        defaults[option.name or name] = _plain_value(value, str(key), entry, option)
    ctx.default_map = {**defaults, **(ctx.default_map or {})}
    return value


def _plain_value(path: Path, key: str, entry: Any, option: click.Parameter) -> Any:
    """The value in the form that click takes: lists for repeatable options, comma-separated text for lists of tasks."""
    if option.multiple:
        return [str(item) for item in entry] if isinstance(entry, list) else [str(entry)]
    if option.name == "tasks" and isinstance(entry, list):
        return ",".join(str(item) for item in entry)
    switch = isinstance(option, click.Option) and bool(option.is_flag)
    if isinstance(entry, list | dict) or isinstance(entry, bool) != switch:
        wanted = "true or false" if switch else "a single value"
        raise UsageError(f"config file {path}: {key!r} is {entry!r}; it takes {wanted}")
    return entry


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
