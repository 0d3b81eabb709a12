"""What pages show to be typed: commands, files and code, taken from their text."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^ {4}.*\n(?:\n(?= {4}))?)+", re.MULTILINE)


def text_of(page: str) -> str:
    """The Markdown of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def fenced(page: str, language: str) -> list[str]:
    """Fenced blocks of a language."""
    return [found[2] for found in _FENCE.finditer(text_of(page)) if found[1] == language]


def indented(page: str) -> list[str]:
    """Indented blocks."""
    return [textwrap.dedent(found) for found in _INDENTED.findall(_FENCE.sub("", text_of(page)))]


def spans(page: str) -> list[str]:
    """Texts in single backticks."""
    return re.findall(r"`([^`\n]+)`", "\n".join(_FENCE.split(text_of(page))[::3]))


def commands(page: str) -> Iterator[list[str]]:
    """The arguments of each `egocross-eval` command line, of blocks and of texts in backticks."""
    lines = [line for block in [*indented(page), *fenced(page, "bash")] for line in block.splitlines()]
    for line in [*lines, *spans(page)]:
        if line.startswith("egocross-eval "):
            yield shlex.split(line, comments=True)[1:]


def options(page: str) -> set[str]:
    """Options named in backticks."""
    return {found for span in spans(page) for found in re.findall(r"(?:^|\s)(--[a-z][a-z-]*)", span)}


def known_options() -> set[str]:
    """Every option that a verb takes and shows."""
    from egocross_eval.cli.main import cli

    context = click.Context(cli)
    found: set[str] = {"--help", "--version"}

    def collect(command: click.Command) -> None:
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                found.update([*parameter.opts, *parameter.secondary_opts])
        if hasattr(command, "inner_verb"):
            collect(command.inner_verb())
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                if (inner := command.get_command(context, name)) is not None:
                    collect(inner)

    collect(cli)
    return found


def parse(arguments: list[str]) -> str:
    """Reads a command line as the real command does, without running it; returns the verb's path."""
    from egocross_eval.cli.main import cli

    command: click.Command = cli
    path: list[str] = []
    rest = ["run", *arguments] if arguments[0].startswith("-") else list(arguments)
    context = click.Context(cli)
    while isinstance(command, click.Group) and rest:
        default = getattr(command, "default_verb", "")
        if default and command.get_command(context, rest[0]) is None:
            rest.insert(0, default)
        inner = command.get_command(context, rest[0])
        assert inner is not None, f"no verb {' '.join([*path, rest[0]])}"
        command = inner
        path.append(rest.pop(0))
    with command.make_context(path[-1], rest):
        return " ".join(path)
