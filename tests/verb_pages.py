"""The reference of the command line, made from its commands: a page for each verb, with the verbs within it."""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import click
from verb_tree import commands, inner_verbs

from egocross_eval.cli.main import VERBS, cli

INDEX = "reference/command-line/index.md"
"""The page whose table names the verbs, and which shows the command itself."""
_PLACE = "<!-- egocross-eval -->"
_MARKDOWN = {ord(mark): f"&#{ord(mark)};" for mark in "\\`*_[]|{}#~^"}


def pages() -> dict[str, str]:
    """The Markdown of each verb's page by its place in the documentation."""
    found = {page_of(verb): "" for verb in VERBS}
    for path, command in commands():
        if path:
            found[page_of(path)] += "\n".join(reference(path, command)) + "\n"
    return found


def page_of(path: str) -> str:
    """The page that has a verb, such as `train merge`."""
    return f"reference/command-line/{path.split()[0]}.md"


def anchor(path: str) -> str:
    """Where in its page a verb is."""
    return f"egocross-eval {path}".strip().replace(" ", "-")


def in_navigation(entry: Any) -> Any:
    """A part of mkdocs.yml's `nav`, with the verbs' pages below the index."""
    if entry == INDEX:
        return [INDEX, *({verb: page_of(verb)} for verb in VERBS)]
    if isinstance(entry, dict):
        return {title: in_navigation(inner) for title, inner in entry.items()}
    return [in_navigation(inner) for inner in entry] if isinstance(entry, list) else entry


def index(markdown: str) -> str:
    """The index: the verbs in its table lead to their pages, and the command itself is shown."""
    paths = sorted((path for path, _ in commands() if path), key=len, reverse=True)
    table = re.compile(r"^\| `[^|]*", re.MULTILINE)
    markdown = table.sub(lambda cell: re.sub("`([^`]+)`", lambda code: _linked(code[1], paths), cell[0]), markdown)
    return markdown.replace(_PLACE, "\n".join(reference("", cli)))


def _linked(typed: str, paths: list[str]) -> str:
    path = next(path for path in paths if f"{typed} ".startswith(f"{path} "))
    return f"[`{typed}`]({PurePosixPath(page_of(path)).name}#{anchor(path)})"


def reference(path: str, command: click.Command) -> Iterator[str]:
    """The Markdown of one verb, such as `train merge`, or of the whole, whose path is empty."""
    name = f"egocross-eval {path}".strip()
    whole = click.Context(cli, **cli.context_settings)
    context = click.Context(command, info_name=name, parent=whole, **command.context_settings)
    level = 1 + path.count(" ") if path else 2
    yield from (f"{'#' * level} {name} {{ #{anchor(path)} data-toc-label='{path or name}' }}", "")
    yield from _words(command)
    inner = [(f"{path} {verb}", one) for verb, one in inner_verbs(command)] if path else []
    yield from (f"- [`{verb}`](#{anchor(verb)}): {_escaped(one.get_short_help_str(limit=1000))}" for verb, one in inner)
    yield ""
    usage = " ".join(command.collect_usage_pieces(context))
    yield from ("```text", f"{name} {usage}", "```", "")
    yield from _options(context)


def _words(command: click.Command) -> Iterator[str]:
    """The help: paragraphs, and as it stands what is marked so."""
    for part in re.split(r"\n\s*\n", inspect.cleandoc(command.help or "")):
        as_it_stands = part.startswith("\b\n")
        yield from ("```text", part[2:], "```", "") if as_it_stands else (_escaped(part), "")


def _options(context: click.Context) -> Iterator[str]:
    """Each option as `--help` shows it, with its default."""
    options = [one for one in context.command.get_params(context) if isinstance(one, click.Option)]
    shown = [record for record in (one.get_help_record(context) for one in options) if record is not None]
    yield from ("| option | what it does |", "|---|---|")
    yield from (f"| <code>{_escaped(names)}</code> | {_escaped(words)} |" for names, words in shown)
    yield ""


def _escaped(text: str) -> str:
    """Text as it's meant, in a paragraph or a cell: nothing in it is Markdown or HTML, but for code in backticks."""
    plain = html.escape(" ".join(text.split()), quote=False).translate(_MARKDOWN)
    return re.sub("&#96;(.+?)&#96;", r"<code>\1</code>", plain)
