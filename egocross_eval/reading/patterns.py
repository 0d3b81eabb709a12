"""Regular expressions that are compiled when first used, and a readable way to write long lists of phrases."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator


class Pattern:
    """A regular expression, case ignored unless said, compiled at its first use: importing the package stays cheap."""

    __slots__ = ("_compiled", "_flags", "_source")

    def __init__(self, source: str, flags: int = re.IGNORECASE) -> None:
        self._source = source
        self._flags = flags
        self._compiled: re.Pattern[str] | None = None

    @property
    def compiled(self) -> re.Pattern[str]:
        """The compiled expression."""
        if self._compiled is None:
            self._compiled = re.compile(self._source, self._flags)
        return self._compiled

    def search(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        """Like re.Pattern.search."""
        return self.compiled.search(text, start, end)

    def match(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        """Like re.Pattern.match."""
        return self.compiled.match(text, start, end)

    def fullmatch(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        """Like re.Pattern.fullmatch."""
        return self.compiled.fullmatch(text, start, end)

    def finditer(self, text: str, start: int = 0) -> Iterator[re.Match[str]]:
        """Like re.Pattern.finditer."""
        return self.compiled.finditer(text, start)

    def sub(self, replacement: str | Callable[[re.Match[str]], str], text: str) -> str:
        """Like re.Pattern.sub."""
        return self.compiled.sub(replacement, text)


def any_of(phrases: str) -> str:
    """An expression for one of the phrases, written one a line or with " | " between; a blank stands for any blank."""
    return "(?:" + "|".join(part.replace(" ", r"\s") for part in _parts(phrases)) + ")"


def words(phrases: str) -> str:
    """Like `any_of`, as whole words."""
    return rf"\b{any_of(phrases)}\b"


def word_set(phrases: str) -> frozenset[str]:
    """The phrases, written as for `any_of`, as a set of strings."""
    return frozenset(_parts(phrases))


def _parts(phrases: str) -> list[str]:
    parts = [part.strip() for line in phrases.splitlines() for part in line.split(" | ")]
    return [part for part in parts if part]
