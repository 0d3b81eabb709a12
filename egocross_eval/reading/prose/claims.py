"""The decided answers of a text: what it states, chooses, concludes, opens with or ends with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from egocross_eval.reading.extraction import Claim, Reading
from egocross_eval.reading.phrases import choosing, correcting
from egocross_eval.reading.prose.ending import last_line
from egocross_eval.reading.prose.opening import opening
from egocross_eval.reading.prose.said import Prose
from egocross_eval.reading.prose.stances import Stance, is_alternative, is_revision


def decided(text: Prose) -> list[Claim]:
    """Every decided answer."""
    claims = [*opening(text), *_declined_slots(text), *_letter_runs(text)]
    for each in text.judged:
        if each.stance is Stance.DECIDED:
            claims += text.claims(each.group, each.rule)
    claims += last_line(text, answered=any(claim.reading.letter for claim in claims))
    return _with_second_thoughts(text, sorted(claims, key=lambda claim: claim.at))


def _with_second_thoughts(text: Prose, claims: list[Claim]) -> list[Claim]:
    """Add where a claim is weakened behind it: "... or maybe C", "actually no, not B"."""
    added = []
    for each in text.judged:
        span = text.view.span(each.group.start, each.group.end)
        made = [claim.reading.letter for claim in claims if claim.at < span[0]]
        said = made[-1] if made else None
        if said is None:
            continue
        if each.stance is Stance.DENIED:
            if said in each.group.letters and is_revision(text.text, each.group):
                added.append(Claim(span[0], "correction", Reading(None, span, "refuted")))
        elif each.group.letters != (said,) and is_alternative(text.text, each.group):
            added.append(Claim(span[0], "statement", Reading(None, span, "several_letters")))
    return claims + added


def _declined_slots(text: Prose) -> Iterator[Claim]:
    for start, end in text.declined:
        ahead = text.text[max(0, start - 180) : start]
        stated = choosing.STATEMENT.search(ahead)
        if stated and any(max(0, start - 180) + stated.start() <= each.group.start < start for each in text.judged):
            continue  # "Answer: B (A is not visible)"
        if stated or correcting.ON_REFLECTION.search(ahead):
            span = text.view.span(start, end)
            yield Claim(span[0], "statement", Reading(None, span, "refusal"))


def _letter_runs(text: Prose) -> Iterator[Claim]:
    """Answers like "the answer is ACD"."""
    for match in re.finditer(r"(?<![A-Za-z0-9])[A-Z]{2,8}(?![A-Za-z0-9])", text.text):
        if text.options.is_run(match[0]) and choosing.STATEMENT.search(
            text.text[max(0, match.start() - 120) : match.start()]
        ):
            span = text.view.span(*match.span())
            if text.options.exact(match[0]) is None:
                yield Claim(span[0], "statement", Reading(None, span, "several_letters"))
