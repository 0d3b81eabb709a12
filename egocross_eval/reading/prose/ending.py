"""The answer on the last line of an output."""

from __future__ import annotations

from collections.abc import Iterator

from egocross_eval.reading.extraction import Claim
from egocross_eval.reading.patterns import Pattern
from egocross_eval.reading.phrases import denying, phrase_ends
from egocross_eval.reading.prose.lists import Line, is_listing
from egocross_eval.reading.prose.said import Prose
from egocross_eval.reading.prose.stances import Stance

_ITEM = Pattern(r"(?:[-*•+]\s{0,3})?[(\[]?[A-Za-z][)\]]?\s?[:.)-]", 0)
_LISTED = Pattern(r"[-*•+]\s|(?:option|choice)\s[A-Z]\W*\Z")
# A scrap of reasoning, then the letter: "ing.A".
_GLUED = Pattern(r"(?:\A[a-z]{0,3}|[a-z]{2})[.!?,:;。)]([A-Z])[.)]?\s*\Z", 0)
_LINE_JUNK = Pattern(r"[\s\"'(\[<:.>=→-]*", 0)
_LINE_END = Pattern(r"[\s\"')\]>.:,;!。-]*\Z", 0)
_POLITE = Pattern(
    r"\s*(?:i hope|hope this|let me know|please (?:note|let)|thank|feel free|if you have|is there anything)",
)


def last_line(text: Prose, *, answered: bool) -> Iterator[Claim]:
    """The option that the last line holds and nothing else; polite closing words are passed over.

    Below a heading that rejects it an option is no answer, nor is an item of a list where the text has `answered`.
    """
    glued = _GLUED.search(text.text)
    if glued and text.judged and text.judged[-1].group.mentions[-1].core[0] == glued.start(1) and not answered:
        yield from text.claims(text.judged[-1].group, "last_line")
        return
    tail = [line for line in text.lines[-3:] if not _POLITE.match(text.text, line.start)]
    if len(text.lines) < 2 or not tail:
        return
    line = tail[-1]
    inside = [each for each in text.judged if line.start <= each.group.start and each.group.end <= line.end + 2]
    if not inside or inside[0].stance is Stance.DENIED:
        return
    group = inside[0].group
    first = group.mentions[0]
    if first.kind in ("ordinal", "named") or not _LINE_JUNK.fullmatch(text.text, line.start, group.start):
        return
    if is_listing(text.text, text.labels, group, text.options):
        return
    if denying.HEADING.search(text.text, 0, line.start) or (answered and _LISTED.match(text.text, line.start)):
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
    if ends or (labelled and not answered and len(group.letters) == 1):
        yield from text.claims(group, "last_line")


def _label_before(text: Prose, line: Line) -> bool:
    """Whether the line above starts like a list item."""
    at = text.lines.index(line)
    return at > 0 and bool(_ITEM.match(text.text, text.lines[at - 1].start))
