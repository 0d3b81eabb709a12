"""Read a slot that is meant to hold the answer and nothing else: a JSON value, a tag's content, a box, a last line."""

from __future__ import annotations

import re
from typing import NamedTuple

from egocross_eval.reading.extraction import Reading
from egocross_eval.reading.options import OptionSet
from egocross_eval.reading.patterns import Pattern
from egocross_eval.reading.phrases import denying
from egocross_eval.reading.phrases.refusals import DECLINES
from egocross_eval.reading.prose.joining import find_mentions, grouped
from egocross_eval.reading.prose.mentions import Mention
from egocross_eval.reading.text.markup import cleaned
from egocross_eval.reading.text.offsets import View


class Marked(NamedTuple):
    """A marked place in a view: its extent there, the rule that found it and what it holds."""

    start: int
    end: int
    rule: str
    reading: Reading


_RUN = Pattern(r"[\s\"'(\[]*([A-Za-z]{2,10})[\s\"')\].]*", 0)
_LEAD = Pattern(r"[\s\"'(\[<:=>→-]*\Z", 0)


def read_slot(view: View, options: OptionSet) -> Reading:
    """Read a slot: the letter in any dress, an option's exact text, or the one option named in it."""
    slot = cleaned(view)
    text = slot.text
    whole = slot.span(*_trim(text))
    if not text.strip(" \n\t.\"'"):
        return Reading(None, whole)
    lone = re.fullmatch(r"[\s\"'(\[<]*([A-Za-z])[\s\"')\]>.:,;!。]*", text)
    if lone:
        letter = options.valid(lone[1])
        return Reading(letter, slot.span(*lone.span(1)), "" if letter else "out_of_range")
    exact = options.exact(text)
    if exact is not None:
        return Reading(exact, whole)
    run = _RUN.fullmatch(text)
    if run and options.is_run(run[1]):
        return Reading(None, whole, "several_letters")
    mentions = find_mentions(text, options)
    if (
        mentions
        and mentions[0].kind not in ("article", "text", "ordinal")
        and _LEAD.fullmatch(text[: mentions[0].start])
    ):
        first = _leading(text, mentions, options)
        if first is not None:
            span = slot.span(*first.core)
            if first.contrary:
                return Reading(None, whole, "contradiction")
            return Reading(first.letter, span) if first.valid else Reading(None, span, "out_of_range")
    if DECLINES.search(text):
        return Reading(None, whole, "refusal")
    return _only_one(slot, mentions, whole)


def _trim(text: str) -> tuple[int, int]:
    stripped = text.strip()
    start = text.find(stripped) if stripped else 0
    return start, start + len(stripped)


def _leading(text: str, mentions: list[Mention], options: OptionSet) -> Mention | None:
    """The mention a slot starts with, when nothing else in the slot competes with it."""
    first = grouped(text, mentions)[0]
    if len(first.letters) > 1 or denying.DENIED.match(text, first.end):
        return None
    rest = text[first.end :]
    mention = first.mentions[0]
    if (
        mention.kind == "bare"
        and rest[:1].isspace()
        and rest.strip()
        and not mention.own
        and rest.lstrip()[0].islower()
    ):
        return None
    others = {each.letter for each in mentions if each.start >= first.end and each.kind == "marked" and not each.own}
    if mention.kind == "lower" and rest.strip(" .)"):
        return None
    return mention if not (others - {mention.letter} and _RIVAL.search(rest)) else None


_RIVAL = Pattern(r"\b(?:or|wait|actually|correction|instead|then|and)\b|[/&]|->|→")


def _only_one(slot: View, mentions: list[Mention], whole: tuple[int, int]) -> Reading:
    """The one option a slot names without denying it."""
    text = slot.text
    named = []
    for group in grouped(text, mentions):
        ahead = text[max(0, group.start - 160) : group.start]
        if denying.DENIED.match(text, group.end) or denying.DENIAL.search(ahead):
            continue
        named += [each for each in group.mentions if each.kind != "lower" and (each.kind != "text" or each.closed)]
    letters = {each.letter for each in named}
    if len(letters) == 1:
        core = slot.span(*named[0].core)
        return Reading(named[0].letter, core) if named[0].valid else Reading(None, core, "out_of_range")
    if len(letters) > 1:
        return Reading(None, whole, "several_letters")
    return Reading(
        None, whole, "refuted" if mentions and any(m.kind not in ("article", "lower") for m in mentions) else ""
    )
