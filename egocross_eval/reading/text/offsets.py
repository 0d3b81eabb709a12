"""A cleaned copy of a text in which every character knows where it stood in the raw text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from egocross_eval.reading.patterns import Pattern


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

    @classmethod
    def of_ends(cls, raw: str, limit: int) -> View:
        """The first and the last `limit` characters of a text; the whole of one that is not longer than both."""
        if len(raw) <= 2 * limit:
            return cls.of(raw)
        head, tail = cls.of(raw, 0, limit), cls.of(raw, len(raw) - limit)
        return cls(
            f"{head.text}\n{tail.text}", [*head.starts, limit, *tail.starts], [*head.ends, len(raw) - limit, *tail.ends]
        )

    def slice(self, start: int, end: int | None = None) -> View:
        """The part text[start:end]."""
        return View(self.text[start:end], self.starts[start:end], self.ends[start:end])

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Raw offsets of text[start:end]; an empty slice gives an empty span."""
        if start >= end or start >= len(self.text):
            at = self.starts[start] if start < len(self.starts) else (self.ends[-1] if self.ends else 0)
            return at, at
        return self.starts[start], self.ends[min(end, len(self.ends)) - 1]

    def edited(self, edits: Iterable[tuple[int, int, str]]) -> View:
        """Put new text in the place of each text[start:end] (given in order, not overlapping).

        The new characters come from the whole raw range of what they replace.
        """
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = 0
        for begin, stop, new in edits:
            low, high = self.span(begin, stop)
            pieces += (self.text[at:begin], new)
            starts += self.starts[at:begin] + [low] * len(new)
            ends += self.ends[at:begin] + [high] * len(new)
            at = stop
        if not pieces:
            return self
        return View("".join(pieces) + self.text[at:], starts + self.starts[at:], ends + self.ends[at:])

    def sub(self, pattern: Pattern, new: str | Callable[[re.Match[str]], str]) -> View:
        """Replace every match of a pattern."""
        found = pattern.finditer(self.text)
        return self.edited((*match.span(), new if isinstance(new, str) else new(match)) for match in found)

    def blank(self, ranges: list[tuple[int, int]]) -> View:
        """Put a line end in the place of each range of text (given in order, not overlapping)."""
        return self.edited((begin, stop, "\n") for begin, stop in ranges)
