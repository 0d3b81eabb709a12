"""The answer on the last line of an output."""

from __future__ import annotations

import re
from collections.abc import Iterator

from egocross_eval.reading.extraction import Claim
from egocross_eval.reading.patterns import Pattern
from egocross_eval.reading.phrases import phrase_ends
from egocross_eval.reading.prose.lists import Line, is_listing
from egocross_eval.reading.prose.said import Prose
from egocross_eval.reading.prose.stances import Stance

_ITEM = Pattern(r"(?:[-*•+]\s{0,3})?[(\[]?[A-Za-z][)\]]?\s?[:.)-]", 0)
_LINE_END = Pattern(r"[\s\"')\]>.:,;!。-]*\Z", 0)
_POLITE = Pattern(
    r"\s*(?:i hope|hope this|let me know|please (?:note|let)|thank|feel free|if you have|is there anything)",
)


def last_line(text: Prose) -> Iterator[Claim]:
    """The option that the last line holds and nothing else; polite closing words are passed over."""
    tail = [line for line in text.lines[-3:] if not _POLITE.match(text.text, line.start)]
    if len(text.lines) < 2 or not tail:
        return
    line = tail[-1]
    inside = [each for each in text.judged if line.start <= each.group.start and each.group.end <= line.end + 2]
    if not inside or inside[0].stance is Stance.DENIED:
        return
    group = inside[0].group
    first = group.mentions[0]
    if not re.fullmatch(r"[\s\"'(\[<:.>=→-]*", text.text[line.start : group.start]) or first.kind == "ordinal":
        return
    if is_listing(text.text, text.labels, group, text.options):
        return
    ends = _LINE_END.fullmatch(text.text[group.end : line.end])
    whole = line.end - line.start < 60 or text.text[line.end - 1] in ".!?。)"
    labelled = first.kind == "marked" and len(inside) == 1 and group in text.labels and whole
    if (first.own or not ends) and _label_before(text, line):
        return
    if not ends and (
        phrase_ends.TOLD.match(text.text, group.end) or (first.own and not phrase_ends.ENDS.match(text.text, group.end))
    ):
        return
    if ends or (labelled and len(group.letters) == 1):
        yield from text.claims(group, "last_line")


def _label_before(text: Prose, line: Line) -> bool:
    """Whether the line above starts like a list item."""
    at = text.lines.index(line)
    return at > 0 and bool(_ITEM.match(text.text, text.lines[at - 1].start))
