"""What a text says about an option it mentions: chosen, judged right, ruled out, or merely named."""

from __future__ import annotations

from enum import IntEnum

from egocross_eval.reading.patterns import Pattern
from egocross_eval.reading.phrases import choosing, correcting, denying, doubting, judging, phrase_ends
from egocross_eval.reading.prose.mentions import Group

LEFT_WINDOW = 180
RIGHT_WINDOW = 140


class Stance(IntEnum):
    """How much a phrase commits to an option, the stronger the higher."""

    DENIED = -1
    NAMED = 0
    HEDGED = 1
    JUDGED = 2
    DECIDED = 3


_NAMED = (Stance.NAMED, "")
_DENIED = (Stance.DENIED, "")
_VERDICT = (Stance.JUDGED, "verdict")
_SENTENCE_END = Pattern(r"[.!?\n;。]", 0)
_ANOTHER_CLAUSE = Pattern(
    r"[\s\"')\]]{0,3}[,—–-]\s?(?:and\s|as\s|since\s)?(?:it|this|that|there|can't|cannot|couldn't|could|won't|wouldn't|isn't|not)\b(?!.*\b(?:because|since|as)\b)"
)
_PLURAL = Pattern(r"\b(?:options|choices|answers|both|are)\W{0,3}\Z")
_PLURAL_NOUN = Pattern(r"(?:options|choices|letters)\s")
_CONTRARY = Pattern(r"\b(?:would|were|had)\b|n't\b")


def stance(text: str, group: Group, since: int, following: Group | None) -> tuple[Stance, str]:
    """How `text` commits to a group of mentions, and the name of the rule that tells so.

    Words before the offset `since` belong to the group before.
    """
    left = text[max(since, group.start - LEFT_WINDOW) : group.start]
    right = text[group.end : group.end + RIGHT_WINDOW]
    if following is not None and _denies_the_next(text, group, following):
        right = right[:1]
    if judging.YES.match(right):
        return _VERDICT
    if len(group.letters) == 1 and _PLURAL_NOUN.match(text, group.start, group.end):
        return _NAMED  # "Therefore, options B (red", cut off
    held = _stance(left, right, group)
    return _NAMED if held[0] > Stance.NAMED and _is_question(left, right) else held


def _stance(left: str, right: str, group: Group) -> tuple[Stance, str]:
    turned = denying.DOUBLE_DENIAL.search(left)
    bad = denying.DENIED.match(right)
    last = group.mentions[-1]
    if bad and (last.kind == "text" or last.own) and denying.ABSENT.match(right):
        bad = None  # "the hook is not visible" may be what was asked for
    if denying.UNTICKED.search(left):
        return _DENIED
    if not turned:
        if denying.EXCEPTED.search(left):
            return _VERDICT if bad else _DENIED
        if bad or denying.NO.match(right) or denying.DENIAL.search(left) or denying.NONE.search(left):
            return _DENIED
    elif bad:
        return _DENIED
    held = _VERDICT if turned else _positive(left, right, group)
    if held[0] <= Stance.NAMED:
        return held
    if doubting.UNCHECKED.match(right) or (doubting.PARTIAL.match(right) and not choosing.CHOICE.search(left)):
        return _NAMED
    if held[1] != "correction" and doubting.ELSEWHERE.search(left) and not doubting.CONCEDED.search(left):
        return _NAMED
    condition = doubting.CONDITION.search(left)
    if condition:
        return _DENIED if _CONTRARY.search(condition[0]) else (Stance.HEDGED, held[1])
    return held


def _positive(left: str, right: str, group: Group) -> tuple[Stance, str]:
    last = group.mentions[-1]
    lower = any(mention.kind == "lower" for mention in group.mentions)
    bare = all(mention.kind == "bare" for mention in group.mentions)
    closed = all(mention.closed for mention in group.mentions)
    ends = closed and (last.kind == "text" or bool(phrase_ends.ENDS.match(right)))
    own = last.own or last.kind == "ordinal"
    if last.kind == "named":
        chosen = choosing.STATEMENT.search(left) or choosing.CHOICE.search(left)
        return (Stance.DECIDED, "statement") if chosen else _NAMED
    if choosing.TICKED.search(left) or (judging.CHOSEN.match(right) and not lower):
        return Stance.DECIDED, "statement"
    judged = not lower and bool(judging.JUDGED.match(right))
    if not (ends or own or last.kind in ("marked", "bare")) or (not ends and bare and phrase_ends.TOLD.match(right)):
        return _VERDICT if judged else _NAMED
    for pattern, rule in _CHOOSING.items():
        if pattern.search(left) and not (rule == "choice" and last.kind == "text" and choosing.HANDLED.search(left)):
            return Stance.DECIDED, rule
    if lower:
        return _NAMED
    if choosing.CONCLUSION.search(left) and (ends or own):
        return Stance.DECIDED, "conclusion"
    if last.kind != "text" and choosing.PLAIN.search(left) and phrase_ends.STOP.match(right):
        return Stance.DECIDED, "conclusion"
    reasoned = phrase_ends.SENTENCE.search(left) and judging.WHY.match(right)
    if judged or reasoned or (phrase_ends.ALONE_BEHIND.search(left) and phrase_ends.ALONE.match(right)):
        return _VERDICT
    if doubting.MAYBE.search(left):
        return Stance.HEDGED, "verdict"
    return _VERDICT if choosing.COPULA.search(left) and (ends or not bare) else _NAMED


_CHOOSING = {correcting.CORRECTION: "correction", choosing.STATEMENT: "statement", choosing.CHOICE: "choice"}


def _is_question(left: str, right: str) -> bool:
    stop = _SENTENCE_END.search(right)
    return bool(stop and stop[0] == "?" and doubting.QUESTION.search(left))


def _denies_the_next(text: str, group: Group, following: Group) -> bool:
    """Whether what looks like a denial of a group denies the next one: "D, it can't be A"."""
    between = text[group.end : following.start]
    return (
        len(between) <= RIGHT_WINDOW
        and _ANOTHER_CLAUSE.match(between) is not None
        and _SENTENCE_END.search(between) is None
        and denies_ahead(text, following)
        and denying.DENIED.match(text, group.end, following.start) is not None
    )


def denies_ahead(text: str, group: Group) -> bool:
    """Whether words before a group deny it: "so it is not A"."""
    return bool(denying.DENIAL.search(text, max(0, group.start - LEFT_WINDOW), group.start))


def chooses_ahead(text: str, group: Group, since: int) -> bool:
    """Whether words before a group, behind the offset `since`, choose one option: "so it is A"."""
    left = text[max(since, group.start - LEFT_WINDOW) : group.start]
    if denying.DENIAL.search(left) or _PLURAL.search(left):
        return False
    return any(pattern.search(left) for pattern in (*_CHOOSING, choosing.COPULA))


def is_alternative(text: str, group: Group) -> bool:
    """Whether a group is added as a further possibility: "... or maybe C"."""
    return bool(correcting.ALTERNATIVE.search(text, max(0, group.start - LEFT_WINDOW), group.start))


def is_picked(text: str, group: Group) -> bool:
    """Whether a mark beside a group picks it out of a list: "[x] C", "C <- answer"."""
    ticked = choosing.TICKED.search(text, max(0, group.start - 8), group.start)
    return bool(ticked or judging.CHOSEN.match(text, group.end, group.end + RIGHT_WINDOW))


def is_praised(text: str, group: Group) -> bool:
    """Whether what follows a group judges it right: "C. red (correct)"."""
    return bool(judging.JUDGED.match(text, group.end, group.end + RIGHT_WINDOW)) or is_picked(text, group)


def is_revision(text: str, group: Group) -> bool:
    """Whether a group stands behind words that take something back: "actually, not ..."."""
    left = text[max(0, group.start - 60) : group.start]
    return bool(correcting.REVISION.search(left))


def taken_back(text: str, group: Group) -> bool:
    """Whether what follows the group withdraws it: "... B. Wait, that is wrong."."""
    return bool(correcting.TAKEN_BACK.match(text, group.end, group.end + RIGHT_WINDOW))
