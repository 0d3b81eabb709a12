"""What a text says about an option it mentions: chosen, judged right, ruled out, or merely named."""

from __future__ import annotations

from enum import IntEnum

from egocross_eval.reading import after, before
from egocross_eval.reading.mention import Group
from egocross_eval.reading.patterns import Pattern

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
_CONTRARY = Pattern(r"\b(?:would|were|had)\b|n't\b")


def stance(text: str, group: Group) -> tuple[Stance, str]:
    """How ``text`` commits to a group of mentions, and the name of the rule that tells so."""
    left = text[max(0, group.start - LEFT_WINDOW) : group.start]
    right = text[group.end : group.end + RIGHT_WINDOW]
    if after.YES.match(right):
        return _VERDICT
    held = _stance(left, right, group)
    return _NAMED if held[0] > Stance.NAMED and _is_question(left, right) else held


def _stance(left: str, right: str, group: Group) -> tuple[Stance, str]:
    turned = before.DOUBLE_DENIAL.search(left)
    bad = after.DENIED.match(right)
    last = group.mentions[-1]
    if bad and (last.kind == "text" or last.own) and after.ABSENT.match(right):
        bad = None  # "the hook is not visible" may be what was asked for
    if before.UNTICKED.search(left):
        return _DENIED
    if not turned:
        if before.EXCEPTED.search(left):
            return _VERDICT if bad else _DENIED
        if (
            bad
            or after.NO.match(right)
            or before.DENIAL.search(left)
            or (last.kind == "text" and before.NONE.search(left))
        ):
            return _DENIED
    elif bad:
        return _DENIED
    held = _VERDICT if turned else _positive(left, right, group)
    if held[0] <= Stance.NAMED:
        return held
    if after.PARTIAL.match(right) and not before.CHOICE.search(left):
        return _NAMED
    if held[1] != "correction" and before.ELSEWHERE.search(left) and not before.CONCEDED.search(left):
        return _NAMED
    condition = before.CONDITION.search(left)
    if condition:
        return _DENIED if _CONTRARY.search(condition[0]) else (Stance.HEDGED, held[1])
    return held


def _positive(left: str, right: str, group: Group) -> tuple[Stance, str]:
    last = group.mentions[-1]
    lower = any(mention.kind == "lower" for mention in group.mentions)
    bare = all(mention.kind == "bare" for mention in group.mentions)
    closed = all(mention.closed for mention in group.mentions)
    ends = closed and (last.kind == "text" or bool(after.ENDS.match(right)))
    own = last.own or last.kind == "ordinal"
    if before.TICKED.search(left) or (after.CHOSEN.match(right) and not lower):
        return Stance.DECIDED, "statement"
    judged = not lower and bool(after.JUDGED.match(right))
    if not (ends or own or last.kind in ("marked", "bare")) or (not ends and bare and after.TOLD.match(right)):
        return _VERDICT if judged else _NAMED
    for pattern, rule in _DECISIONS:
        if pattern.search(left) and not (rule == "choice" and last.kind == "text" and before.HANDLED.search(left)):
            return Stance.DECIDED, rule
    if lower:
        return _NAMED
    if before.CONCLUSION.search(left) and (ends or own):
        return Stance.DECIDED, "conclusion"
    if last.kind != "text" and before.PLAIN.search(left) and after.STOP.match(right):
        return Stance.DECIDED, "conclusion"
    reasoned = before.SENTENCE.search(left) and after.WHY.match(right)
    if judged or reasoned or (before.ALONE.search(left) and after.ALONE.match(right)):
        return _VERDICT
    if before.MAYBE.search(left):
        return Stance.HEDGED, "verdict"
    return _VERDICT if before.COPULA.search(left) and (ends or not bare) else _NAMED


_DECISIONS = ((before.CORRECTION, "correction"), (before.STATEMENT, "statement"), (before.CHOICE, "choice"))


def _is_question(left: str, right: str) -> bool:
    stop = _SENTENCE_END.search(right)
    return bool(stop and stop[0] == "?" and before.QUESTION.search(left))


def denies_ahead(text: str, group: Group) -> bool:
    """Whether words before a group deny it: "so it is not A"."""
    return bool(before.DENIAL.search(text, max(0, group.start - LEFT_WINDOW), group.start))


def is_alternative(text: str, group: Group) -> bool:
    """Whether a group is added as a further possibility: "... or maybe C"."""
    return bool(before.ALTERNATIVE.search(text, max(0, group.start - LEFT_WINDOW), group.start))


def is_picked(text: str, group: Group) -> bool:
    """Whether a mark beside a group picks it out of a list: "[x] C", "C <- answer"."""
    ticked = before.TICKED.search(text, max(0, group.start - 8), group.start)
    return bool(ticked or after.CHOSEN.match(text, group.end, group.end + RIGHT_WINDOW))


def is_revision(text: str, group: Group) -> bool:
    """Whether a group stands behind words that take something back: "actually, not ..."."""
    left = text[max(0, group.start - 60) : group.start]
    return bool(_REVISION.search(left))


_REVISION = Pattern(r"\b(?:wait|actually|no,|hmm|oops|sorry|scratch|on second thought)\b[^?\n]{0,40}\Z")


def taken_back(text: str, group: Group) -> bool:
    """Whether what follows the group withdraws it: "... B. Wait, that is wrong."."""
    return bool(after.TAKEN_BACK.match(text, group.end, group.end + RIGHT_WINDOW))
