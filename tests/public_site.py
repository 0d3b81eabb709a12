"""Hooks of the documentation's generator (`make docs`): the reference of the command line, made from its commands, and
a look at each page as it was built."""

from __future__ import annotations

import html
import inspect
import logging
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import click
from verb_tree import commands

from egocross_eval.cli.main import cli

_PLACE = "<!-- verbs -->"
_LOG = logging.getLogger("mkdocs.hooks.egocross_eval")
"""A warning of it fails the build, which is strict."""

_MARKDOWN = {ord(mark): f"&#{ord(mark)};" for mark in "\\`*_[]|{}#~^"}


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Puts the verbs where a page has the mark for them, and takes the marks from lines in the code of a table's cells:
    they are for other readers of Markdown."""
    markdown = re.sub(r"^\|.*$", lambda row: re.sub("`[^`]+`", _without_marks, row[0]), markdown, flags=re.MULTILINE)
    if _PLACE not in markdown:
        return markdown
    return markdown.replace(
        _PLACE, "\n".join(line for path, command in commands() for line in reference(path, command))
    )


def _without_marks(code: re.Match[str]) -> str:
    return code[0].replace("\\|", "|")


def reference(path: str, command: click.Command) -> Iterator[str]:
    """The Markdown of one verb, such as `train merge`, or of the whole, whose path is empty."""
    name = f"egocross-eval {path}".strip()
    whole = click.Context(cli, **cli.context_settings)
    context = click.Context(command, info_name=name, parent=whole, **command.context_settings)
    label = f"data-toc-label='{path or name}'"
    yield from (f"{'#' * (3 + path.count(' '))} {name} {{ #{name.replace(' ', '-')} {label} }}", "")
    yield from _words(command)
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


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Warns of what no reader should see."""
    for fault in faults(output):
        _LOG.warning("%s: the built page shows %s", page.file.src_uri, fault)
    return output


def faults(page: str) -> list[str]:
    """What shows through in a built page: Python's own words for values, marks of Markdown, annotations' wrapping."""
    words = _Words()
    words.feed(page)
    found = re.findall(r"Sentinel\b|\bUNSET\b|<(?:object|function|class) [^>]*>|\b0x[0-9a-f]{6,}|\\\|.{,30}", words.all)
    found += re.findall(r"[`|].{,30}", words.plain)
    return found + re.findall(r"Annotated\[.{,30}", words.signatures)


class _Words(HTMLParser):
    """The words of a page: all, those that are no code, and those of signatures."""

    _ALONE = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"))
    _CODE = frozenset(("code", "pre"))
    _UNSEEN = frozenset(("script", "style", "svg"))

    def __init__(self) -> None:
        super().__init__()
        self.all = self.plain = self.signatures = ""
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self._ALONE:
            self._open.append((tag, "doc-signature" in (dict(attrs).get("class") or "")))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tags = {tag for tag, _ in self._open}
        if tags & self._UNSEEN:
            return
        self.all += data
        self.plain += "" if tags & self._CODE else data
        self.signatures += data if any(signature for _, signature in self._open) else ""
