"""Options that several verbs share, and the YAML config file behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from egocross_eval.documents import read_place, read_yaml
from egocross_eval.errors import UsageError, did_you_mean
from egocross_eval.replies import asks_for_json


def asks_for_events(words: Sequence[str]) -> bool:
    """Whether the words of a command line, which may be faulty, ask for lines of events."""
    return "--events" in words and not asks_for_json(words)


class EventsCommand(click.Command):
    """A verb with `--events`: what is wrong with its config file is said in a line too."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Reads the words of the command line."""
        if not asks_for_events(args):
            return super().make_context(info_name, args, parent, **extra)
        from egocross_eval.cli.show.events import refusal_told

        with refusal_told(asked=True):
            return super().make_context(info_name, args, parent, **extra)


def load_config(ctx: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """Takes the defaults of the other options from a YAML file; what stands on the command line wins."""
    if value is None:
        return None
    raw = read_yaml(value, dict[str, Any], what="config file")
    names = {
        option.lstrip("-").replace("-", "_"): p
        for p in ctx.command.params
        if isinstance(p, click.Option)
        for option in (*p.opts, *p.secondary_opts, p.name or "")
        if p.name and p.name != parameter.name and not option.startswith("--no-")
    }
    defaults: dict[str, Any] = {}
    place = read_place(value, "config file")
    for key, entry in raw.items():
        name = str(key).replace("-", "_")
        if name not in names:
            shown = [p for p in names.values() if not p.hidden]
            known = sorted({p.opts[-1 if len(p.opts[0]) < 3 else 0].lstrip("-") for p in shown})
            raise UsageError(
                f"{place.at(key)}: unknown option {key!r}{did_you_mean(str(key), known)}; known: {', '.join(known)}"
            )
        option = names[name]
        if (option.name or name) in defaults:
            raise UsageError(f"{place.at(key)}: {key!r} is there twice, once by another spelling")
        defaults[option.name or name] = _plain_value(place.at(key), str(key), entry, option)
    ctx.default_map = {**defaults, **(ctx.default_map or {})}
    return value


def _plain_value(where: str, key: str, entry: Any, option: click.Parameter) -> Any:
    """The value in the form that click takes: lists for repeatable options, comma-separated text for lists of tasks."""
    if option.multiple:
        return [str(item) for item in entry] if isinstance(entry, list) else [str(entry)]
    if option.name == "tasks" and isinstance(entry, list):
        return ",".join(str(item) for item in entry)
    switch = isinstance(option, click.Option) and bool(option.is_flag)
    if isinstance(entry, list | dict) or isinstance(entry, bool) != switch:
        wanted = "true or false" if switch else "a single value"
        raise UsageError(f"{where}: {key!r} is {entry!r}; it takes {wanted}")
    return entry


def planned_file(command: Callable[..., int]) -> Callable[..., int]:
    """The file of a sweep and what is done with its plan: its argument and options."""
    folder = click.Path(exists=True, file_okay=False, path_type=Path)
    for decorate in (
        click.option(
            "--like",
            multiple=True,
            type=folder,
            metavar="RUN",
            help="Judge the time by this run too; may be repeated. Default: by the runs that are there.",
        ),
        click.option("--dry-run", is_flag=True, help="Show the runs, their size and their time, and stop."),
        click.option(
            "--output",
            "-o",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            help="Folder of the run folders and of what is made of them; default: the file's.",
        ),
        click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
    ):
        command = decorate(command)
    return command
