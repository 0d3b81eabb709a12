"""The answer of a text that decides nothing in so many words: a verdict, the one letter named, the one text said."""

from __future__ import annotations

import re

from egocross_eval.reading.extraction import Extraction
from egocross_eval.reading.patterns import Pattern, words
from egocross_eval.reading.phrases import phrase_ends
from egocross_eval.reading.prose.lists import listed_verdict
from egocross_eval.reading.prose.mentions import Group
from egocross_eval.reading.prose.said import Judged, Prose
from egocross_eval.reading.prose.stances import Stance, taken_back

_ENDED = Pattern(r"[.!?。)\]\"'*]\s*\Z", 0)
_DANGLES = Pattern(
    words(
        """
        the | an | and | or | which | that | because | while | is | are | in | of | to | with | but | if | as | since
        so | for | on | at | by | this | its | their | would | could | can | not | was | were | it
        """
    )
    + r"\s*\Z|,\s*\Z"
)
_TURNS = Pattern(r"\b(?:but|however|though|although|let me|let's|wait)\b")
_SENTENCE_END = Pattern(r"[.!?](?=\s|\Z)|[\n。!?]", 0)
_NUMBER = Pattern(r"\d+(?:[.:,]\d+)*", 0)
_TIME = Pattern(r"\d+(?:\.\d+)?\s?(?:s|sec|secs|seconds?)\b", 0)
_DOUBTS = Pattern(
    words(
        "not | n't | cannot | rule | ruled | eliminate | eliminated | exclude | wrong | incorrect | unlikely"
        " | think about | consider | considering | compare | compared | check | examine | evaluate"
        " | look at | start with"
    )
    + r"|\b(?:looking|look) at (?:the )?\Z|不|排除|错|先看|看看|分析|考虑"
)
_CONCLUDES = Pattern(
    words(
        """
        so | therefore | thus | hence | overall | conclusion | conclude | considering | based on | finally | in the end
        best | most | would be | should be | must be | appears? | likely | answer | summary
        """
    )
    + "|因此|所以|综上|故"
)
_SHORT = 250


def undecided(text: Prose, *, boxed: bool) -> Extraction:
    """The answer, or the reason for having none; `boxed` tells that a box in the output names no option."""
    for found in (_verdict(text, boxed), _named(text), None if boxed else _said(text)):
        if found is not None:
            return found
    return Extraction(reason=_reason(text, boxed))


def _verdict(text: Prose, boxed: bool) -> Extraction | None:
    """The option judged right; of several the one judged last, if the text ends with it."""
    picked = listed_verdict(text.text, text.labels)
    if picked is not None and picked.mentions[0].valid:
        return text.found(picked, "verdict")
    right = [each.group for each in text.judged if each.stance is Stance.JUDGED and _usable(each.group)]
    right = [group for group in right if group.mentions[0].kind != "text" or _is_result(text, group, boxed)]
    if not right:
        return None
    last = right[-1]
    letters = {letter for group in right for letter in group.letters}
    if any(start > last.end and not _of_another(text, start, last) for start, _ in text.declined):
        return Extraction(reason="refusal")
    ended = _has_ended(text.text)
    if not ended and not last.mentions[-1].own and _TURNS.search(text.text, last.end, last.end + 80):
        return Extraction(reason="several_letters")
    if len(letters) > 1 and (len(last.letters) > 1 or not ended or not _in_last_sentence(text, last)):
        return Extraction(reason="several_letters")
    if taken_back(text.text, last):
        return Extraction(reason="refuted")
    return text.found(last, "option_text" if last.mentions[0].kind == "text" else "verdict")


def _of_another(text: Prose, declined: int, chosen: Group) -> bool:
    """Whether a refusal only tells of another option: "B is correct. It is not possible to see A"."""
    stops = [stop.end() for stop in _SENTENCE_END.finditer(text.text) if stop.end() <= declined]
    end = _SENTENCE_END.search(text.text, declined)
    start = max(chosen.end, stops[-1] if stops else 0)
    stop = end.start() if end else len(text.text)
    inside = [each.group for each in text.judged if start <= each.group.start < stop]
    return len(inside) == 1 and len(inside[0].letters) == 1 and inside[0].letters != chosen.letters


def _is_result(text: Prose, group: Group, boxed: bool) -> bool:
    """Whether an option text is the outcome: a number on the way to another result or a box is not."""
    return not boxed and _has_ended(text.text) and (not group.mentions[0].generic or _in_last_sentence(text, group))


def _usable(group: Group) -> bool:
    text_only = group.mentions[0].kind == "text"
    closed = not text_only or group.mentions[0].closed or len(group.letters) == 1
    return closed and all(mention.valid for mention in group.mentions)


def _named(text: Prose) -> Extraction | None:
    """The one letter that is marked as an option and not denied."""
    refused = max((end for _, end in text.declined), default=-1)
    hedged = [each.group for each in text.judged if each.stance is Stance.HEDGED and each.group.start >= refused]
    rivals = {m.letter for each in text.judged if each.stance is Stance.NAMED for m in each.group.mentions if m.valid}
    if _one_letter(hedged) and rivals <= set(hedged[-1].letters):
        return text.found(hedged[-1], "only_letter")
    if text.declined or not _has_ended(text.text):
        return None
    denied = _denied(text)
    named = [
        each.group
        for each in text.judged
        if each.stance in (Stance.NAMED, Stance.HEDGED) and not denied & set(each.group.letters)
    ]
    marked = [group for group in named if any(m.kind in ("marked", "ordinal") or m.own for m in group.mentions)]
    bare = {m.letter for group in named for m in group.mentions if m.kind == "bare"}
    if _one_letter(marked) and bare <= set(marked[-1].letters) and _stands_out(text, marked[-1]):
        return text.found(marked[-1], "only_letter")
    return None


def _denied(text: Prose) -> set[str]:
    return {letter for each in text.judged if each.stance is Stance.DENIED for letter in each.group.letters}


def _one_letter(groups: list[Group]) -> bool:
    letters = {letter for group in groups for letter in group.letters}
    return len(letters) == 1 and all(group.mentions[0].valid for group in groups)


def _stands_out(text: Prose, group: Group) -> bool:
    """Whether a letter is more than told about: it ends its phrase, and its sentence casts no doubt on it."""
    if phrase_ends.TOLD.match(text.text, group.end) and not group.mentions[-1].own:
        return False
    ahead = re.split(r"[.!?\n。]|\bbut\b", text.text[max(0, group.start - 160) : group.start])[-1]
    return not _DOUBTS.search(ahead)


def _said(text: Prose) -> Extraction | None:
    """The one option whose text a short text says, or the conclusion of a longer one."""
    if text.declined or not _has_ended(text.text):
        return None
    denied = _denied(text)
    texts = [
        each
        for each in text.judged
        if each.group.mentions[0].kind == "text"
        and each.stance >= Stance.NAMED
        and not denied & set(each.group.letters)
    ]
    numbers = _tells_one_number(text, texts)
    direction = _tells_one_direction(text, texts)
    last = [each for each in texts if _in_last_sentence(text, each.group)]
    pools = [texts, last] if len(text.text) < _SHORT else [last]
    for pool in pools:
        said = [each.group for each in pool if _is_said(text, each.group, numbers, direction)]
        rivals = {m.letter for each in pool for m in each.group.mentions if not m.generic}
        if _one_letter(said) and rivals <= set(said[-1].letters) and _concludes(text, said[-1]):
            return text.found(said[-1], "option_text")
    return None


def _is_said(text: Prose, group: Group, numbers: bool, direction: bool) -> bool:
    return all(
        m.closed and (not m.generic or direction or (numbers and m.core_is_number(text.text))) for m in group.mentions
    )


_DIRECTION = Pattern(r"(?:left|right|up|down)\Z")
_MOVES = Pattern(
    words(
        """
        go | goes | going | move | moves | moving | moved | turn | turns | turning | turned | head | heads | heading
        curve | curves | curving | bend | bends | bending | veer | veers | veering | steer | steers | steering | lean
        leans | leaning | swerve | swerves | rotate | rotates | pan | pans | panning | tilt | tilts | tilting | slide
        slides | shift | shifts | face | faces | facing | point | points | pointing | look | looks | looking
        """
    )
    + r"\s(?:\w{2,10}ly\s|back\s)?(?:(?:to|towards?)\s(?:the\s)?)?\Z"
)


def _tells_one_direction(text: Prose, texts: list[Judged]) -> bool:
    """Whether the only option text said is a direction behind a verb of motion: "the camera moves to the left"."""
    letters = {letter for each in texts for letter in each.group.letters}
    if len(letters) != 1 or text.options.within_another(*letters):
        return False
    return all(
        _DIRECTION.match(text.text[each.group.start : each.group.end].split()[-1])
        and _MOVES.search(text.text[max(0, each.group.start - 40) : each.group.start])
        and phrase_ends.ENDS.match(text.text, each.group.end)
        for each in texts
    )


def _concludes(text: Prose, group: Group) -> bool:
    """Whether an option text is said in a short text, or in a sentence that draws a conclusion."""
    if len(text.text) < _SHORT:
        return True
    ahead = re.split(r"[.!?](?=\s)|[\n。!?]", text.text[max(0, group.start - 200) : group.start])[-1]
    return bool(_CONCLUDES.search(ahead))


def _tells_one_number(text: Prose, texts: list[Judged]) -> bool:
    """Whether a one-line text holds no number but those of options; beside counts, times are let pass."""
    if len(text.text) > 160 or len(text.lines) != 1:
        return False
    spans = [(each.group.start, each.group.end) for each in texts]
    timed = any(_TIME.search(text.text, *span) for span in spans)
    return not any(
        (timed or not _TIME.match(text.text, number.start()))
        and not any(start <= number.start() < end for start, end in spans)
        for number in _NUMBER.finditer(text.text)
    )


def _has_ended(text: str) -> bool:
    """Whether a text seems to be complete: it is a few words, or it ends with a full stop or the like."""
    return bool(_ENDED.search(text)) or (len(text.encode("utf-8", "ignore")) <= 100 and not _DANGLES.search(text))


def _in_last_sentence(text: Prose, group: Group) -> bool:
    rest = text.text[group.end :].strip()
    stop = _SENTENCE_END.search(rest)
    return stop is None or len(rest) - stop.end() <= 2


def _reason(text: Prose, boxed: bool) -> str:
    if text.declined:
        return "refusal"
    stances = {each.stance for each in text.judged if each.group.mentions[0].kind != "lower"}
    named = {letter for each in text.judged for letter in each.group.letters if each.stance is not Stance.DENIED}
    if Stance.DENIED in stances and not named:
        return "refuted"
    if boxed:
        return "out_of_range"
    marked = {
        letter for each in text.judged if each.group.mentions[0].kind == "marked" for letter in each.group.letters
    }
    return "several_letters" if len(marked & named) > 1 else "no_answer"
