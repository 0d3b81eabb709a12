"""The answer that an output begins with: "B. red", "(B) because ...", "Yes, ..."."""

from __future__ import annotations

import re
from collections.abc import Iterator

from egocross_eval.reading.extraction import Claim
from egocross_eval.reading.patterns import Pattern, words
from egocross_eval.reading.phrases import doubting, phrase_ends
from egocross_eval.reading.prose.lists import is_item, is_listing, listed_verdict
from egocross_eval.reading.prose.mentions import Group
from egocross_eval.reading.prose.said import Prose
from egocross_eval.reading.prose.stances import Stance, denies_ahead

_OPENERS = words(
    """
    most | likely | probably | definitely | maybe | perhaps | possibly | clearly | certainly | i think | i believe
    obviously | surely | undoubtedly | evidently | i guess | guess | its | option | choice | letter | so | sure | yes
    sicher(?:lich)? | bestimmt | wahrscheinlich | vermutlich | sûrement | certainement | probablement | ciertamente
    seguramente | probablemente | sin duda | sicuramente | certamente | probabilmente | com certeza | certamente
    provavelmente | точно | конечно | скорее всего | наверное | вероятно | jelas | pasti | mungkin | zeker | säkert
    kesinlikle | na pewno | chyba | 肯定是? | 一定是? | 应该是? | 显然是? | 可能是? | 是 | 选 | yeah | ok | okay | hmm
    well | it's | it is | is | that's | the | would be
    """
)
_JUNK = Pattern(rf"(?:\W|{_OPENERS})*")
_ENUMERATOR = Pattern(r"\A\s*(?:(?:Q|question|answer|a)?\s?\d{1,3}|q)\s?[.:)]\s")
_TO_LETTER = Pattern(
    r"\s?(?:to|through|thru|[-–—…]|\.{3})\s?(?!I\b)[A-Z]\b"
    r"(?!\s(?:is|isn't|was|does|doesn't|can't|cannot|could|couldn't|would|wouldn't|won't|must|has|seems|lacks|fails)\b)",
    0,
)


def opening(text: Prose) -> Iterator[Claim]:
    """The answer a text begins with, if it begins with one."""
    if not text.judged or not text.lines:
        return
    group, held = text.judged[0].group, text.judged[0].stance
    if len(group.letters) > 1 and len(text.judged) > 1:  # "A or C? A."
        reply = text.judged[1].group
        asked = re.fullmatch(r"\s?\?\s{1,3}", text.text[group.end : reply.start])
        if asked and set(reply.letters) < set(group.letters) and phrase_ends.ENDS.match(text.text, reply.end):
            yield from text.claims(reply, "leading_letter")
            return
    if held is Stance.DENIED or not _leads(text.text, group, len(text.lines)):
        return
    if is_listing(text.text, text.labels, group, text.options) or _opens_a_range(text, group):
        if listed_verdict(text.text, text.labels) is None and not text.judged_after(group.start - 1):
            yield text.claim(group, "leading_letter", "several_letters")
        return
    if any(
        each.stance is Stance.DENIED
        and each.group.letters == group.letters
        and each.group.mentions[0].kind not in ({"text", "lower"} - {group.mentions[0].kind})
        and denies_ahead(text.text, each.group)
        for each in text.judged
    ):
        return
    if _opens_a_list(text, group):
        yield text.claim(group, "leading_letter", "several_letters")
        return
    right = text.text[group.end : group.end + 60]
    first = group.mentions[0]
    if doubting.PARTIAL.match(right) or first.kind == "named":
        return
    if first.kind == "text":
        firm = re.match(r"[\s\"')]{0,3}(?:\Z|[.!\n:])", right) or (first.generic and re.match(r"\s?[,;-]", right))
        if not first.closed or not firm or text.declined_near(group):
            return
    elif (
        (
            first.kind == "lower"
            and not re.match(r"\s{0,2}(?:\Z|[.\n):,])", right)
            and not phrase_ends.CONFIDENCE.match(right)
        )
        or (
            first.kind == "bare"
            and not first.own
            and not (phrase_ends.ENDS.match(right) or re.match(r"\s{1,2}[^a-z\s]", right))
        )
        or (first.kind == "ordinal" and not phrase_ends.ENDS.match(right))
    ):
        return
    if len(group.letters) > 1 and not phrase_ends.ENDS.match(right):
        return
    yield from text.claims(group, "leading_letter")


def _opens_a_list(text: Prose, group: Group) -> bool:
    """Whether the text begins with a list of options, all of them or some, that chooses none of them.

    "B. red", then "A. blue" below a blank line, is an answer and its explanation; so is a list that rules the rest out.
    """
    if group not in text.labels:
        return False
    behind = (each for each in text.judged if each.group.start >= group.end)
    following = next((each for each in behind if is_item(text.text, text.labels, each.group)), None)
    if following is None or following.stance is Stance.DENIED:
        return False
    between = text.text[group.end : following.group.start]
    if "\n" in between and following.group not in text.labels:
        return False
    if following.group.letters == group.letters:
        return following.group.mentions[0].contrary or group.mentions[0].contrary
    ascending = following.group.letters[0].upper() > group.letters[0].upper()
    if "\n" not in between.strip(" \n(-*•+[\"'") and between.count("\n") == 1:
        return True
    return ascending and ("\n" not in between or not between.strip(" \n(-*•+[\"'"))


def _opens_a_range(text: Prose, group: Group) -> bool:
    """Whether the text begins with a range, a pair or questions: "A to D", "A with B", "A? B?"."""
    if _TO_LETTER.match(text.text, group.end):
        return True
    others = {letter for each in text.judged[1:] if each.stance is Stance.NAMED for letter in each.group.letters}
    brief = len(text.lines) == 1 and len(text.text) < 40 and group.mentions[0].kind == "bare"
    return bool(others - set(group.letters)) and (brief or text.text[group.end : group.end + 1] == "?")


def _leads(text: str, group: Group, lines_in_text: int) -> bool:
    ahead = text[: group.start]
    if lines_in_text == 1:
        ahead = _ENUMERATOR.sub("", ahead)
    return len(ahead) < 200 and bool(_JUNK.fullmatch(ahead))
