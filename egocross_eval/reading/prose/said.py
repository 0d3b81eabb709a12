"""What a text says about each option it mentions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

from egocross_eval.reading.extraction import Claim, Extraction, Reading
from egocross_eval.reading.options import OptionSet
from egocross_eval.reading.patterns import Pattern
from egocross_eval.reading.phrases import denying
from egocross_eval.reading.phrases.refusals import DECLINES
from egocross_eval.reading.prose.joining import find_mentions, grouped
from egocross_eval.reading.prose.lists import is_item, is_listing, label_groups, lines
from egocross_eval.reading.prose.mentions import Group, Mention
from egocross_eval.reading.prose.stances import Stance, chooses_ahead, is_picked, is_praised, stance, taken_back
from egocross_eval.reading.text.offsets import View

_MAX_GROUPS = 400
_SENTENCE_END = Pattern(r"[.!?](?=\s|\Z)|[\n。!?]", 0)


class Judged(NamedTuple):
    """A group of mentions with what the text says about it."""

    group: Group
    stance: Stance
    rule: str


class Prose:
    """A cleaned text and what it says about the options."""

    def __init__(self, view: View, options: OptionSet) -> None:
        self.view = view
        self.text = view.text
        self.options = options
        mentions = find_mentions(self.text, options)
        groups = grouped(self.text, _unquoted(self.text, mentions) if options.quotes_letters else mentions)
        pairs = zip(groups, [None, *groups], strict=False)
        groups = [part for group, before in pairs for part in _chosen_apart(self.text, group, before)]
        if len(groups) > _MAX_GROUPS:  # the first tell how the text begins, the last what it ends with
            groups = groups[: _MAX_GROUPS // 8] + groups[-_MAX_GROUPS * 7 // 8 :]
        self.lines = lines(self.text)
        self.labels = label_groups(self.text, groups)
        self.judged: list[Judged] = []
        for group, following in zip_longest(groups, groups[1:]):
            self.judged.append(self._judge(group, following))
        declined = [match.span() for match in DECLINES.finditer(self.text)]
        self.declined = [span for span in declined if not any(g.start <= span[0] < g.end for g in groups)]

    def _judge(self, group: Group, following: Group | None) -> Judged:
        committed = (each.group for each in reversed(self.judged[-4:]) if each.stance >= Stance.JUDGED)
        last = next((each for each in committed if each.letters != group.letters), None)
        held, rule = stance(self.text, group, last.end if last else 0, following)
        introduced = self.text[: group.start].rstrip(" \n-*(")[-1:] == ":"
        headed = (held is Stance.DECIDED or (held > Stance.NAMED and introduced)) and not is_picked(self.text, group)
        if headed and is_listing(self.text, self.labels, group, self.options):
            # "The options are: (A) red": the head before a list belongs to no item of it.
            return Judged(group, Stance.NAMED, "")
        return Judged(group, held, rule)

    def claims(self, group: Group, rule: str) -> Iterator[Claim]:
        """What choosing a group by a rule amounts to: a letter, or a reason for having none."""
        if taken_back(self.text, group):
            yield self.claim(group, rule, "refuted")
            return
        distinct = group.letters
        if len(distinct) > 1:
            yield self.claim(group, rule, "several_letters")
            return
        first = group.mentions[0]
        if first.contrary:
            yield self.claim(group, rule, "contradiction")
            return
        if not first.valid:
            if first.kind != "lower" and self._plausible(first):
                yield self.claim(group, rule, "out_of_range")
            return
        yield self.claim(group, "option_text" if first.kind == "text" else rule, "")

    def _plausible(self, mention: Mention) -> bool:
        """Whether an invalid letter can be meant as an option: near the valid ones, or in brackets."""
        last = max(letter.upper() for letter in self.options.letters)
        return mention.kind != "bare" or not mention.letter.isalpha() or ord(mention.letter) - ord(last) <= 6

    def claim(self, group: Group, rule: str, reason: str) -> Claim:
        """The claim of a group's first letter, or of all it names when there is a reason against it."""
        first, last = group.mentions[0], group.mentions[-1]
        if reason:
            span = self.view.span(first.core[0], last.core[1])
            return Claim(span[0], rule, Reading(None, span, reason))
        span = self.view.span(*first.core)
        return Claim(span[0], rule, Reading(first.letter, span))

    def declined_near(self, group: Group) -> bool:
        """Whether the sentence of a group declines to answer."""
        stop = _SENTENCE_END.search(self.text, group.end)
        end = stop.start() if stop else len(self.text)
        return any(group.start <= start < end for start, _ in self.declined)

    def judged_after(self, start: int) -> Group | None:
        """The one option judged right behind `start`, where several were named before."""
        later = [each.group for each in self.judged if each.group.start > start and self._decides(each)]
        one = len({group.letters for group in later}) == 1 and len(later[0].letters) == 1
        return later[-1] if one and later[0].mentions[0].valid else None

    def _decides(self, each: Judged) -> bool:
        """Whether a verdict decides over a list: a letter's or a marked item's, or a text's behind the list."""
        if each.stance < Stance.JUDGED:
            return False
        if is_item(self.text, self.labels, each.group):
            return each.group.mentions[0].own and is_praised(self.text, each.group)
        behind = not self.labels or "\n" in self.text[self.labels[-1].end : each.group.start]
        return behind or each.group.mentions[0].kind != "text"

    def found(self, group: Group, rule: str) -> Extraction:
        """The extraction of a group's first letter."""
        mention = group.mentions[0]
        if mention.contrary:
            return Extraction(reason="contradiction")
        return Extraction(letter=mention.letter, rule=rule, span=self.view.span(*mention.core))


def _chosen_apart(text: str, group: Group, before: Group | None) -> Iterator[Group]:
    """The group, or its first member apart from the rest: "it's D, A and B are wrong"."""
    subject = before is not None and not _SENTENCE_END.search(text[before.end : group.start])
    if len(group.letters) > 1 and not subject:
        first, *rest = group.mentions
        gap = text[first.end : rest[0].start]
        apart = "," in gap and (rest[1:] or "and" not in gap)
        if apart and denying.DENIED.match(text, group.end) and chooses_ahead(text, group, before.end if before else 0):
            yield Group(group.start, first.end, (first,))
            yield Group(rest[0].start, group.end, tuple(rest))
            return
    yield group


def _unquoted(text: str, mentions: list[Mention]) -> list[Mention]:
    """Leave out letters in the wording of an option ("option B in the image") behind a label on their line."""
    kept: list[Mention] = []
    for mention in mentions:
        before = kept[-1] if kept else None
        named = mention.kind == "marked" and text[mention.start : mention.core[0]].strip(" ([\"'") != ""
        if named and before is not None and "\n" not in text[before.end : mention.start]:
            continue
        kept.append(mention)
    return kept
