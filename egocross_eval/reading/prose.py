"""Read the answer from running text: what is decided, what is judged, what is merely named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from egocross_eval.reading import after, before
from egocross_eval.reading.extraction import Extraction
from egocross_eval.reading.layout import Line, is_listing, label_groups, lines
from egocross_eval.reading.mention import Group, Mention
from egocross_eval.reading.mentions import find_mentions, grouped
from egocross_eval.reading.options import OptionSet
from egocross_eval.reading.patterns import Pattern, words
from egocross_eval.reading.phrases import (
    Stance,
    denies_ahead,
    is_alternative,
    is_picked,
    is_revision,
    stance,
    taken_back,
)
from egocross_eval.reading.refusals import declining_spans
from egocross_eval.reading.values import Reading, letters_run
from egocross_eval.reading.view import View

_MAX_GROUPS = 400
_OPENERS = words(
    """
    most | likely | probably | definitely | maybe | perhaps | possibly | clearly | certainly | i think | i believe
    obviously | surely | undoubtedly | evidently | i guess | guess | its | option | choice | letter | so | sure
    yes | yeah
    ok | okay | hmm | well | it's | it is | is | that's | the
    would be
    """
)
_JUNK = Pattern(rf"(?:\W|{_OPENERS})*")
_ENUMERATOR = Pattern(r"\A\s*(?:(?:Q|question|answer|a)?\s?\d{1,3}|q)\s?[.:)]\s")
_TO_LETTER = Pattern(r"\s?(?:to|through|thru|[-–—…]|\.{3})\s?[A-Z]\b", 0)
_ITEM = Pattern(r"(?:[-*•+]\s{0,3})?[(\[]?[A-Za-z][)\]]?\s?[:.)-]", 0)
_LINE_END = Pattern(r"[\s\"')\]>.:,;!。-]*\Z", 0)
_SENTENCE_END = Pattern(r"[.!?](?=\s|\Z)|[\n。!?]", 0)
_POLITE = Pattern(
    r"\s*(?:i hope|hope this|let me know|please (?:note|let)|thank|feel free|if you have|is there anything)",
)
_ON_REFLECTION = Pattern(r"\b(?:actually|wait|on second thought|hmm|on reflection)\W{1,4}(?:no\W+)?(?:i\s)?\Z")


class Claim(NamedTuple):
    """A decided answer, or a decided lack of one, at a raw offset."""

    at: int
    rule: str
    reading: Reading


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
        if len(groups) > _MAX_GROUPS:  # the first tell how the text begins, the last what it ends with
            groups = groups[: _MAX_GROUPS // 8] + groups[-_MAX_GROUPS * 7 // 8 :]
        self.lines = lines(self.text)
        self.labels = label_groups(self.text, groups)
        self.judged = [self._judge(group) for group in groups]
        self.declined = [
            span for span in declining_spans(self.text) if not any(g.start <= span[0] < g.end for g in groups)
        ]

    def _judge(self, group: Group) -> Judged:
        held, rule = stance(self.text, group)
        introduced = self.text[: group.start].rstrip(" \n-*(")[-1:] == ":"
        headed = (held is Stance.DECIDED or (held > Stance.NAMED and introduced)) and not is_picked(self.text, group)
        if headed and is_listing(self.text, self.labels, group, self.options):
            # "The options are: (A) red": the head before a list belongs to no item of it.
            return Judged(group, Stance.NAMED, "")
        return Judged(group, held, rule)

    def decided(self) -> list[Claim]:
        """Every decided answer."""
        claims = [*self._leading(), *self._last_line(), *self._declined_slots(), *self._letter_runs()]
        for each in self.judged:
            if each.stance is Stance.DECIDED:
                claims += self._claims(each.group, each.rule)
        return self._with_second_thoughts(sorted(claims, key=lambda claim: claim.at))

    def _with_second_thoughts(self, claims: list[Claim]) -> list[Claim]:
        """Add where a claim is weakened behind it: "... or maybe C", "actually no, not B"."""
        added = []
        for each in self.judged:
            span = self.view.span(each.group.start, each.group.end)
            made = [claim.reading.letter for claim in claims if claim.at < span[0]]
            said = made[-1] if made else None
            if said is None:
                continue
            if each.stance is Stance.DENIED:
                if said in each.group.letters and is_revision(self.text, each.group):
                    added.append(Claim(span[0], "correction", Reading(None, span, "refuted")))
            elif each.group.letters != (said,) and is_alternative(self.text, each.group):
                added.append(Claim(span[0], "statement", Reading(None, span, "several_letters")))
        return claims + added

    def _claims(self, group: Group, rule: str) -> Iterator[Claim]:
        if taken_back(self.text, group):
            yield self._claim(group, rule, "refuted")
            return
        distinct = group.letters
        if len(distinct) > 1:
            yield self._claim(group, rule, "several_letters")
            return
        first = group.mentions[0]
        if not first.valid:
            if first.kind != "lower" and self._plausible(first):
                yield self._claim(group, rule, "out_of_range")
            return
        yield self._claim(group, "option_text" if first.kind == "text" else rule, "")

    def _plausible(self, mention: Mention) -> bool:
        """Whether an invalid letter can be meant as an option: near the valid ones, or in brackets."""
        last = max(letter.upper() for letter in self.options.letters)
        return mention.kind != "bare" or not mention.letter.isalpha() or ord(mention.letter) - ord(last) <= 6

    def _claim(self, group: Group, rule: str, reason: str) -> Claim:
        first, last = group.mentions[0], group.mentions[-1]
        if reason:
            span = self.view.span(first.core[0], last.core[1])
            return Claim(span[0], rule, Reading(None, span, reason))
        span = self.view.span(*first.core)
        return Claim(span[0], rule, Reading(first.letter, span))

    def _leading(self) -> Iterator[Claim]:
        if not self.judged or not self.lines:
            return
        group, held = self.judged[0].group, self.judged[0].stance
        if len(group.letters) > 1 and len(self.judged) > 1:  # "A or C? A."
            reply = self.judged[1].group
            asked = re.fullmatch(r"\s?\?\s{1,3}", self.text[group.end : reply.start])
            if asked and set(reply.letters) < set(group.letters) and after.ENDS.match(self.text, reply.end):
                yield from self._claims(reply, "leading_letter")
                return
        if held is Stance.DENIED or not _leads(self.text, group, len(self.lines)):
            return
        if is_listing(self.text, self.labels, group, self.options) or self._opens_a_range(group):
            return
        if any(
            each.stance is Stance.DENIED and each.group.letters == group.letters and denies_ahead(self.text, each.group)
            for each in self.judged
        ):
            return
        if self._lists_several():
            yield self._claim(group, "leading_letter", "several_letters")
            return
        right = self.text[group.end : group.end + 60]
        first = group.mentions[0]
        if first.kind == "text":
            firm = re.match(r"[\s\"')]{0,3}(?:\Z|[.!\n:])", right) or (first.generic and re.match(r"\s?[,;-]", right))
            if not first.closed or not firm or self._declined_near(group):
                return
        elif (
            (first.kind == "lower" and not re.match(r"\s{0,2}(?:\Z|[.\n):,])", right))
            or (
                first.kind == "bare"
                and not first.own
                and not (after.ENDS.match(right) or re.match(r"\s{1,2}[^a-z\s]", right))
            )
            or (first.kind == "ordinal" and not after.ENDS.match(right))
        ):
            return
        if len(group.letters) > 1 and not after.ENDS.match(right):
            return
        yield from self._claims(group, "leading_letter")

    def _lists_several(self) -> bool:
        """Whether the text is a list of some options, letter and text, and nothing else."""
        items = [label for label in self.labels if label.mentions[-1].own]
        return (
            len(items) == len(self.lines) > 1
            and len({item.letters for item in items}) > 1
            and not any(
                self.text[item.end : line.end].strip(" .") for item, line in zip(items, self.lines, strict=True)
            )
        )

    def _opens_a_range(self, group: Group) -> bool:
        """Whether the text begins with a range, a pair or questions: "A to D", "A with B", "A? B?"."""
        if _TO_LETTER.match(self.text, group.end):
            return True
        others = {letter for each in self.judged[1:] if each.stance is Stance.NAMED for letter in each.group.letters}
        brief = len(self.lines) == 1 and len(self.text) < 40 and group.mentions[0].kind == "bare"
        return bool(others - set(group.letters)) and (brief or self.text[group.end : group.end + 1] == "?")

    def _last_line(self) -> Iterator[Claim]:
        tail = [line for line in self.lines[-3:] if not _POLITE.match(self.text, line.start)]
        if len(self.lines) < 2 or not tail:
            return
        line = tail[-1]
        inside = [each for each in self.judged if line.start <= each.group.start and each.group.end <= line.end + 2]
        if not inside or inside[0].stance is Stance.DENIED:
            return
        group = inside[0].group
        first = group.mentions[0]
        if not re.fullmatch(r"[\s\"'(\[<:.>=→-]*", self.text[line.start : group.start]) or first.kind == "ordinal":
            return
        if is_listing(self.text, self.labels, group, self.options):
            return
        ends = _LINE_END.fullmatch(self.text[group.end : line.end])
        whole = line.end - line.start < 60 or self.text[line.end - 1] in ".!?。)"
        labelled = first.kind == "marked" and len(inside) == 1 and group in self.labels and whole
        if (first.own or not ends) and self._label_before(line):
            return
        if not ends and (
            after.TOLD.match(self.text, group.end) or (first.own and not after.ENDS.match(self.text, group.end))
        ):
            return
        if ends or (labelled and len(group.letters) == 1):
            yield from self._claims(group, "last_line")

    def _label_before(self, line: Line) -> bool:
        """Whether the line above starts like a list item."""
        at = self.lines.index(line)
        return at > 0 and bool(_ITEM.match(self.text, self.lines[at - 1].start))

    def _declined_slots(self) -> Iterator[Claim]:
        for start, end in self.declined:
            ahead = self.text[max(0, start - 180) : start]
            if before.STATEMENT.search(ahead) or _ON_REFLECTION.search(ahead):
                span = self.view.span(start, end)
                yield Claim(span[0], "statement", Reading(None, span, "refusal"))

    def _letter_runs(self) -> Iterator[Claim]:
        """Answers like "the answer is ACD"."""
        for match in re.finditer(r"(?<![A-Za-z0-9])[A-Z]{2,8}(?![A-Za-z0-9])", self.text):
            if letters_run(match[0], self.options) and before.STATEMENT.search(
                self.text[max(0, match.start() - 120) : match.start()]
            ):
                span = self.view.span(*match.span())
                if self.options.exact(match[0]) is None:
                    yield Claim(span[0], "statement", Reading(None, span, "several_letters"))

    def _declined_near(self, group: Group) -> bool:
        """Whether the sentence of a group declines to answer."""
        stop = _SENTENCE_END.search(self.text, group.end)
        end = stop.start() if stop else len(self.text)
        return any(group.start <= start < end for start, _ in self.declined)

    def judged_after(self, raw_offset: int) -> Extraction | None:
        """The one option judged right behind a raw offset, where several were named before."""
        later = [
            each
            for each in self.judged
            if each.stance is Stance.JUDGED and self.view.starts[each.group.mentions[0].core[0]] > raw_offset
        ]
        letters = {each.group.letters for each in later}
        if len(letters) == 1 and len(later[0].group.letters) == 1 and later[0].group.mentions[0].valid:
            return self.found(later[-1].group, "verdict")
        return None

    def found(self, group: Group, rule: str) -> Extraction:
        """The extraction of a group's first letter."""
        mention = group.mentions[0]
        return Extraction(letter=mention.letter, rule=rule, span=self.view.span(*mention.core))


def _leads(text: str, group: Group, lines_in_text: int) -> bool:
    ahead = text[: group.start]
    if lines_in_text == 1:
        ahead = _ENUMERATOR.sub("", ahead)
    return len(ahead) < 200 and bool(_JUNK.fullmatch(ahead))


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
