"""A cleaned copy of a text in which every character knows where it stood in the raw text."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable

from egocross_eval.reading.patterns import Pattern

# Characters that NFKC leaves alone but that people write for a Latin letter or an ASCII sign.
_FOLD = {
    "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2032": "'", "\u00b4": "'",
    "\u3010": "[", "\u3011": "]", "\u3014": "[", "\u3015": "]", "\u300c": '"', "\u300d": '"',
    "\u300e": '"', "\u300f": '"', "\u00ab": '"', "\u00bb": '"', "\u300a": '"', "\u300b": '"', "\u2212": "-",
    "\u2011": "-",
    "\u2010": "-", "\u27a1": "\u2192", "\u279c": "\u2192", "\u2794": "\u2192", "\u21d2": "\u2192", "\u27f9": "\u2192",
    "\U0001f170": "A", "\U0001f171": "B", "\u0410": "A", "\u0421": "C", "\u0391": "A", "\u0392": "B",
    "\u9078": "\u9009", "\u9805": "\u9879", "\u78ba": "\u786e", "\u932f": "\u9519", "\u8aa4": "\u8bef",
    "\u5c0d": "\u5bf9", "\u61c9": "\u5e94", "\u8a72": "\u8be5", "\u70ba": "\u4e3a", "\u64c7": "\u62e9",
    "\u500b": "\u4e2a", "\u8207": "\u4e0e", "\u9084": "\u8fd8", "\u7121": "\u65e0", "\u50c5": "\u4ec5",
    "\u2502": "|", "\uff5c": "|",
}  # fmt: skip
_INVISIBLE = frozenset("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\ufe0e\ufe0f\u202a\u202b\u202c\u202d\u202e")
_REGIONAL_A = 0x1F1E6
_ENTITY = Pattern(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,10});", 0)


class View:
    """A text and, for each of its characters, the raw offsets (start, end) it comes from."""

    __slots__ = ("ends", "starts", "text")

    def __init__(self, text: str, starts: list[int], ends: list[int]) -> None:
        self.text = text
        self.starts = starts
        self.ends = ends

    @classmethod
    def of(cls, raw: str, start: int = 0, end: int | None = None) -> View:
        """The unchanged characters raw[start:end]."""
        stop = len(raw) if end is None else end
        return cls(raw[start:stop], list(range(start, stop)), list(range(start + 1, stop + 1)))

    def slice(self, start: int, end: int | None = None) -> View:
        """The part text[start:end]."""
        return View(self.text[start:end], self.starts[start:end], self.ends[start:end])

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Raw offsets of text[start:end]; an empty slice gives an empty span."""
        if start >= end or start >= len(self.text):
            at = self.starts[start] if start < len(self.starts) else (self.ends[-1] if self.ends else 0)
            return at, at
        return self.starts[start], self.ends[min(end, len(self.ends)) - 1]

    def sub(self, pattern: Pattern, replacement: str | Callable[[re.Match[str]], str]) -> View:
        """Replace every match; the new characters come from the whole raw range of the match."""
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = 0
        for match in pattern.finditer(self.text):
            begin, stop = match.span()
            new = replacement if isinstance(replacement, str) else replacement(match)
            pieces.append(self.text[at:begin])
            starts += self.starts[at:begin]
            ends += self.ends[at:begin]
            if new:
                low, high = self.span(begin, stop)
                pieces.append(new)
                starts += [low] * len(new)
                ends += [high] * len(new)
            at = stop
        if at == 0 and not pieces:
            return self
        pieces.append(self.text[at:])
        starts += self.starts[at:]
        ends += self.ends[at:]
        return View("".join(pieces), starts, ends)

    def blank(self, ranges: list[tuple[int, int]], filler: str = "\n") -> View:
        """Put ``filler`` in the place of each range of text (given in order, not overlapping)."""
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = 0
        for begin, stop in ranges:
            low, high = self.span(begin, stop)
            pieces += (self.text[at:begin], filler)
            starts += self.starts[at:begin] + [low] * len(filler)
            ends += self.ends[at:begin] + [high] * len(filler)
            at = stop
        return View("".join(pieces) + self.text[at:], starts + self.starts[at:], ends + self.ends[at:])

    def folded(self) -> View:
        """Full-width, circled, styled and look-alike characters as plain ones; invisible characters gone."""
        view = self.sub(_ENTITY, lambda match: html.unescape(match[0])) if "&" in self.text else self
        if view.text.isascii():
            return view
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        for char, start, end in zip(view.text, view.starts, view.ends, strict=True):
            new = char if char.isascii() else fold_character(char)
            if new:
                pieces.append(new)
                starts += [start] * len(new)
                ends += [end] * len(new)
        return View("".join(pieces), starts, ends)


def fold_character(char: str) -> str:
    """The plain form of one character: "" for an invisible one."""
    if char in _INVISIBLE:
        return ""
    if char in _FOLD:
        return _FOLD[char]
    if _REGIONAL_A <= ord(char) < _REGIONAL_A + 26:
        return chr(ord("A") + ord(char) - _REGIONAL_A)
    plain = unicodedata.normalize("NFKC", char)
    return plain if plain == char else "".join(_FOLD.get(each, each) for each in plain)
