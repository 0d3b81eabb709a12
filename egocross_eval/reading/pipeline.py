"""From an output to its answer: which places are looked at, in which order, and which of several answers counts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from egocross_eval.reading.extraction import Claim, Extraction
from egocross_eval.reading.marked.places import marked_answers
from egocross_eval.reading.marked.slot import Marked, read_slot
from egocross_eval.reading.options import OptionSet
from egocross_eval.reading.phrases.errors import is_error
from egocross_eval.reading.prose.claims import decided
from egocross_eval.reading.prose.fallbacks import undecided
from egocross_eval.reading.prose.said import Prose
from egocross_eval.reading.text.characters import folded
from egocross_eval.reading.text.markup import cleaned
from egocross_eval.reading.text.offsets import View
from egocross_eval.reading.text.thinking import final_part
from egocross_eval.reading.text.turns import after_prompt, turns

# By far the most frequent output, read before anything else is set up.
_LONE = re.compile(r"[\s(\[\"'*]*([A-Za-z])[\s)\]\"'*.:]*\Z")


def extract(output: str, options: Mapping[str, str], letters: Sequence[str] | None = None) -> Extraction:
    """Read the letter that `output` gives as its answer, or the reason why it gives none.

    `options` maps letters to texts (it may be empty when `letters` is given); `letters` are the valid letters,
    by default those of `options`. When several options have the same text, saying it gives the first of them.
    Raises ValueError when there is no valid letter or one is not a single letter A to Z; never for any `output`.
    """
    known = OptionSet(options, letters)
    lone = _LONE.match(output)
    if lone and known.valid(lone[1]):
        return Extraction(letter=known.valid(lone[1]), rule="whole_output", span=lone.span(1))
    view = folded(View.of(output))
    if not view.text.strip():
        return Extraction(reason="empty")
    if is_error(view.text):
        return Extraction(reason="error_text")
    final = final_part(view)
    if final is None:
        return Extraction(reason="unfinished_thinking")
    if not final.text.strip():
        return Extraction(reason="no_answer")
    if is_error(final.text):
        return Extraction(reason="error_text")
    for part in turns(final):
        early = _read(part, known)
        if early.letter is not None and early.rule not in ("option_text", "only_letter", "verdict"):
            return early
    return _read(after_prompt(final), known)


def _read(view: View, options: OptionSet) -> Extraction:
    marked = marked_answers(view, options)
    rest = cleaned(view.blank([(each.start, each.end) for each in marked]))
    whole = None if marked else _whole(view, options)
    if whole is not None:
        return whole
    text = Prose(rest, options)
    claims = [*_marked_claims(view, marked), *decided(text)]
    claims.sort(key=lambda claim: claim.at)
    if claims:
        return _settle(claims, text)
    unread = [each for each in marked if each.rule != "boxed"]
    if unread:
        return Extraction(reason="no_answer")
    return undecided(text, boxed=bool(marked))


def _marked_claims(view: View, marked: list[Marked]) -> Iterator[Claim]:
    for each in marked:
        if each.reading.letter or each.reading.reason not in ("", "unfinished"):
            yield Claim(view.span(each.start, each.end)[0], each.rule, each.reading)


def _settle(claims: list[Claim], text: Prose) -> Extraction:
    """The last claim; after a list of candidates the one judged best, if the text goes on to judge."""
    last = claims[-1]
    if last.reading.letter is None and last.reading.reason == "several_letters" and last.rule not in _MARKED:
        judged = text.judged_after(last.at)
        if judged is not None:
            return judged
    return _extraction(last)


_MARKED = ("json_field", "answer_tag", "boxed")


def _extraction(claim: Claim) -> Extraction:
    if claim.reading.letter is None:
        return Extraction(reason=claim.reading.reason)
    return Extraction(letter=claim.reading.letter, rule=claim.rule, span=claim.reading.span)


def _whole(view: View, options: OptionSet) -> Extraction | None:
    """An output that is one slot: a letter, a letter with its text, a run of letters, an option's text."""
    plain = cleaned(view)
    if len(plain.text) > 4000:
        return None
    text = plain.text.strip()
    word = re.fullmatch(r"[\s\"'(\[<]*([A-Za-z])[\s\"')\]>.:,;!?。]*", text)
    exact = options.exact(text)
    if word or exact or (re.fullmatch(r"[A-Z]{2,8}\.?", text) and options.is_run(text.rstrip("."))):
        reading = read_slot(view, options)
        return _extraction(Claim(0, "whole_output", reading))
    return None
