"""Hooks of the documentation's generator (`make docs`): pages that are made from the product, and a look at each page
as it was built."""

from __future__ import annotations

import logging
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import verb_pages

CHANGELOG = "changelog.md"
_GLOSSARY = "glossary.md"
_ROOT = Path(__file__).parents[1]
_LOG = logging.getLogger("mkdocs.hooks.egocross_eval")
"""A warning of it fails the build, which is strict."""


def on_config(config: Any, **_: Any) -> Any:
    """Puts the verbs' pages into the navigation."""
    config["nav"] = verb_pages.in_navigation(config["nav"])
    return config


def on_files(files: Any, config: Any, **_: Any) -> Any:
    """Adds the pages that are made: the verbs' and the changelog."""
    from mkdocs.structure.files import File

    for place, markdown in {**verb_pages.pages(), CHANGELOG: changelog()}.items():
        files.append(File.generated(config, place, content=markdown))
    return files


def changelog() -> str:
    """The one file at the root of the repository; the pages that it names are linked."""
    text = (_ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return re.sub(r"\bdocs/([\w/-]+\.md)", r"[\1](\1)", text)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Makes the index of the verbs and the places of the glossary's words, and what all pages need."""
    makers = {verb_pages.INDEX: verb_pages.index, _GLOSSARY: places_of_words}
    return code_of_tables(makers.get(page.file.src_uri, str)(markdown))


def places_of_words(markdown: str) -> str:
    """The glossary with an anchor at each word."""
    row = re.compile(r"^\| (?!word )(?=\w)([^|]+) \|", re.MULTILINE)
    return row.sub(lambda word: f'| <a id="{word[1].replace(" ", "-")}"></a>{word[1]} |', markdown)


def code_of_tables(markdown: str) -> str:
    """Takes the marks from lines in the code of a table's cells: they are for other readers of Markdown."""
    return re.sub(r"^\|.*$", lambda row: re.sub("`[^`]+`", _without_marks, row[0]), markdown, flags=re.MULTILINE)


def _without_marks(code: re.Match[str]) -> str:
    return code[0].replace("\\|", "|")


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
