"""An output of a model in the terminal: the evidence marked, what is long cut."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

HEAD, TAIL = 600, 500
"""Characters kept at the beginning and at the end of an output."""

AROUND = 120
"""Characters kept before and after the evidence."""

_BLANK = re.compile(r"\n[ \t\r]*\n(?:[ \t\r]*\n)+")


def output_text(text: str, span: tuple[int, int] | None, *, full: bool) -> Text:
    """The output as it is where `full`; else without runs of blank lines, and its long middle left out as far as
    nothing was read there."""
    from rich.text import Text

    styled = Text(text)
    if span is not None:
        styled.stylize("reverse", *span)
    if full:
        return styled
    kept = Text()
    at = 0
    for start, end, instead in _left_out(text, span):
        kept.append_text(styled[at:start])
        kept.append(instead, style="dim")
        at = end
    kept.append_text(styled[at:])
    return kept


def _left_out(text: str, span: tuple[int, int] | None) -> list[tuple[int, int, str]]:
    """(start, end, what stands there instead), in order and apart."""
    evidence = span or (0, 0)
    middle = (HEAD, len(text) - TAIL)
    gaps = [middle] if span is None else [(middle[0], evidence[0] - AROUND), (evidence[1] + AROUND, middle[1])]
    long = [(max(start, middle[0]), min(end, middle[1])) for start, end in gaps]
    # A cut that saves less than it says isn't worth making.
    long = [(start, end) for start, end in long if end - start > AROUND]
    found = [(start, end, f" … {end - start:,} characters left out (--full) … ") for start, end in long]
    for match in _BLANK.finditer(text):
        start, end = match.span()
        apart = all(end <= first or start >= last for first, last in [*long, *([evidence] if span else [])])
        if apart:
            found.append((start, end, "\n\n"))
    return sorted(found)
