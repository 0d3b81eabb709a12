"""Where a cleaned text speaks of an option: by letter, by place ("the second option") or by its text."""

from __future__ import annotations

import re
from collections.abc import Mapping

from egocross_eval.reading.options import OptionSet, TextMention
from egocross_eval.reading.patterns import Pattern, any_of, words
from egocross_eval.reading.prose.letters import find_letters
from egocross_eval.reading.prose.mentions import Group, Mention
from egocross_eval.reading.prose.ordinals import find_ordinals

_DELIMITER = Pattern(r"[\s)\]>\"']{0,4}(?:[.:,(\[\"]|--?|–|—|=)?[\s(\"'\[]{0,4}", 0)

_PHRASE_END = Pattern(r"[\"')\]]{0,2}\s{0,2}(?:\Z|[.;!\n)](?!\w)|,?\s(?:because|since|as)\b)")
_LINE_END = Pattern(r"[\"')\].!]{0,3}[ \t]{0,2}(?:\Z|\n)")
_APPOSED = Pattern(r"[ \t,.\-–—:(]{0,4}(?:which is |i\.e\. |that is )?", 0)


def find_mentions(text: str, options: OptionSet) -> list[Mention]:
    """All mentions in order, none inside another."""
    spoken = [*find_letters(text, options), *find_ordinals(text, options)]
    return _merged(text, options, spoken, options.mentions(text))


def _merged(text: str, options: OptionSet, spoken: list[Mention], texts: list[TextMention]) -> list[Mention]:
    """Drop what lies inside a longer mention; join a letter with the option text that follows or precedes it."""
    taken: list[Mention] = [
        Mention(
            each.start, each.end, (each.start, each.end), each.letter, "text", True, each.closed, False, each.generic
        )
        for each in texts
    ]
    spots = sorted([*spoken, *taken], key=lambda m: (m.core[0], -m.end))
    kept: list[Mention] = []
    others = {each.start: each for each in taken}
    for mention in spots:
        last = kept[-1] if kept else None
        if last is not None and mention.core[0] < last.end:
            longer = mention.end > last.end and mention.start <= last.core[0]
            if mention.kind == "text" and last.kind != "text" and longer:
                kept[-1] = mention  # the option text holds the letter: "Point A"
            continue
        if mention.generic and _is_judgement(text, mention):
            continue
        if mention.kind not in ("text", "article"):
            mention = _with_text(text, options, mention, others)
        if last is not None and _is_apposed(text, last, mention, options):
            same = options.alike(last.letter, mention.letter)
            kept[-1] = mention._replace(start=last.start, own=same, contrary=not same)
        else:
            kept.append(mention)
    return kept


_PRAISE = Pattern(r"(?:right|correct|true|good|wrong|incorrect|false|bad)\Z")
_PRAISED = Pattern(
    r"(?:(?<![A-Za-z0-9])(?-i:[A-Z])[)\]\"']{0,2}|\b(?:you|i|that|this|they|we|option|answer|choice))"
    r"(?:'s|'re|'m|\s(?:is|are|am|was|were|must\sbe|seems|looks|sounds|appears))\s(?:\w{2,10}ly\s|the\s|not\s|also\s)?\Z",
)


def _is_judgement(text: str, mention: Mention) -> bool:
    """Whether a text like "right" or "true" judges an option or a person instead of being the answer: "A is right"."""
    if not _PRAISE.match(text[mention.core[0] : mention.core[1]]):
        return False
    ahead = _PRAISED.search(text[max(0, mention.start - 40) : mention.start])
    return ahead is not None and not ahead[0].lower().startswith(("answer", "this", "that's the", "that is the"))


def _is_apposed(text: str, last: Mention, mention: Mention, options: OptionSet) -> bool:
    """Whether a letter follows its own option's text, or in brackets another's: "forceps (B)"."""
    if last.kind != "text" or mention.kind != "marked" or not mention.valid:
        return False
    other = not options.alike(last.letter, mention.letter)
    if other and (text[mention.start] != "(" or mention.own):
        return False
    return bool(_APPOSED.fullmatch(text, last.end, mention.start))


def _with_text(text: str, options: OptionSet, mention: Mention, others: Mapping[int, Mention]) -> Mention:
    """The mention lengthened over the option text written behind it, its own or another's."""
    delimiter = _DELIMITER.match(text, mention.end)
    at = delimiter.end() if delimiter else mention.end
    if at == mention.end and mention.kind != "marked":
        return mention
    length = options.starts_with_own_text(mention.letter, text[at : at + 4000])
    other = others.get(at)
    if other is None or other.end <= at + length or options.alike(other.letter, mention.letter):
        return mention._replace(end=at + length, own=True) if length else mention
    gap = text[mention.end : at]
    labelled = (mention.kind == "marked" or gap.strip(" \n\"'")) and "," not in gap
    if labelled and (_LINE_END if "\n" in gap else _PHRASE_END).match(text, other.end):
        return mention._replace(end=other.end, contrary=True)
    return mention


_AND = (
    r"(?:,|/|&|、|\+|→|->|=>|和|或者?|与|以及|及|还是|跟|\s"
    + words(
        """
        and/or | and | or | nor | oder | und | ou | et | y | e | o | ni | nem | или | и | of | en | atau | veya | lub
        eller | och | as well as | along with | together with | plus | but also
        """
    )
    + ")"
)
_ALSO = words("also | possibly | maybe | perhaps | even | either | potentially | then | the | both")
_OPTIONS = any_of(r"\b(?:options?|choices?|answers?|points?|images?|pictures?|statements?)\b")
_CONNECTOR = Pattern(
    rf"[\s)\]\"'.]{{0,3}}{_AND}?\s{{0,2}}(?:\b(?:and|or|nor)\b|或|和)?\s{{0,2}}"
    rf"(?:{_ALSO}\s{{0,2}}){{0,2}}{_OPTIONS}?\s{{0,2}}[(\[\"']{{0,2}}"
)
# "A, B is ...": the verb belongs to B alone.
_SINGULAR = Pattern(
    r"[)\]\"']?\s{1,2}(?:(?!as\b|this\b|its\b|perhaps\b|plus\b)[a-z]{1,12}(?:s|n't)|cannot|could|would|can|must|should|değil)\b"
    r"|[)\]\"']?\s{0,2}(?:是|不|错|不对|排除)"
)


def grouped(text: str, mentions: list[Mention]) -> list[Group]:
    """Join neighbours that one breath names together; the article is left out."""
    runs: list[list[Mention]] = []
    for mention in mentions:
        if mention.kind == "article":
            continue
        if runs and _joined(text, runs[-1][-1], mention, alone=len(runs[-1]) == 1):
            runs[-1].append(mention)
        else:
            runs.append([mention])
    return [Group(run[0].start, run[-1].end, tuple(run)) for run in runs]


def _joined(text: str, previous: Mention, mention: Mention, *, alone: bool) -> bool:
    """Whether one breath names both; "B, and C is wrong" speaks of each, where B stands `alone`."""
    gap = text[previous.end : mention.start]
    if len(gap) > 32 or not _CONNECTOR.fullmatch(gap):
        return False
    if "\n" in gap or not gap.strip():
        # Side by side or one a line: a list only where nothing but the letters is written.
        plain = all(each.kind != "text" and not each.own for each in (previous, mention))
        return plain and ("\n" not in gap or _bare_line(text, mention))
    singular = mention.kind != "text" and _SINGULAR.match(text, mention.end) is not None
    if re.search(r"[A-Za-zа-я&/\u3400-\u9fff、+→>]", gap):
        return not (alone and singular and re.search(r",\s?and\b", gap))
    return "," in gap and (text[mention.end : mention.end + 1] == ")" or not singular)


def _bare_line(text: str, mention: Mention) -> bool:
    stop = text.find("\n", mention.end)
    return not text[mention.end : stop if stop >= 0 else None].strip(" .)]:,")
