"""From an output to its answer: which places are looked at, in which order, and which of several answers counts."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

from egocross_eval.reading.extraction import Claim, Extraction
from egocross_eval.reading.marked.places import marked_answers
from egocross_eval.reading.marked.slot import Marked, read_slot
from egocross_eval.reading.options import OptionSet
from egocross_eval.reading.phrases import choosing
from egocross_eval.reading.phrases.errors import is_error
from egocross_eval.reading.prose.claims import decided
from egocross_eval.reading.prose.fallbacks import undecided
from egocross_eval.reading.prose.said import Prose
from egocross_eval.reading.text.characters import folded, with_line_ends
from egocross_eval.reading.text.markup import cleaned
from egocross_eval.reading.text.offsets import View
from egocross_eval.reading.text.special_tokens import first_reply
from egocross_eval.reading.text.thinking import final_part
from egocross_eval.reading.text.turns import after_prompt, asks_anew, echoes_options, turns

_ENDS = 200_000  # characters of a longer output that are read at each end
# By far the most frequent output, read before anything else is set up.
_LONE = re.compile(r"[\s(\[\"'*]*([A-Za-z])[\s)\]\"'*.:]*\Z")


def extract(output: str, options: Mapping[str, str], letters: Sequence[str] | None = None) -> Extraction:
    """Read the letter that `output` gives as its answer, or the reason why it gives none.

    `options` maps letters to texts (it may be empty when `letters` is given); `letters` are the valid letters,
    by default those of `options`. When several options have the same text, saying it gives the first of them. Of very
    long outputs the first and the last 200,000 characters are read.
    Raises ValueError when there is no valid letter or one is not a single letter A to Z; never for any `output`.
    """
    known = OptionSet(options, letters)
    lone = _LONE.match(output)
    if lone and known.valid(lone[1]):
        return Extraction(letter=known.valid(lone[1]), rule="whole_output", span=lone.span(1))
    view = folded(View.of_ends(output, _ENDS))
    if not view.text.strip():
        return Extraction(reason="empty")
    if is_error(view.text):
        return Extraction(reason="error_text")
    final = final_part(view)
    if final is None:
        return Extraction(reason="unfinished_thinking")
    final = with_line_ends(first_reply(final))
    if not final.text.strip():
        return Extraction(reason="no_answer")
    if is_error(final.text):
        return Extraction(reason="error_text")
    return _first_turn(final, known)


def _first_turn(view: View, options: OptionSet) -> Extraction:
    """Read what stands before a turn or question that the model went on to invent; all, where there is none."""
    parts = turns(view, options)
    for part in parts:
        early = _read(part, options)
        if early.letter is not None or (early.reason != "no_answer" and not echoes_options(view.text, options)):
            return early
    if parts and asks_anew(view.text[len(parts[0].text) :], options):
        return Extraction(reason="no_answer")
    return _read(after_prompt(view), options)


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
    """The last claim; after a list of candidates the one judged best, if the text goes on to judge.

    A marked answer stands against all that follows but a correction and another marked answer; a last "Answer: C"
    leaves it undecided.
    """
    last = claims[-1]
    marked = [claim for claim in claims if claim.rule in _MARKED]
    if marked and last.rule not in (*_MARKED, "correction") and marked[-1].reading.letter:
        last = marked[-1]
        if any(
            claim.reading.letter not in (None, last.reading.letter) for claim in claims if _is_final(claim, last, text)
        ):
            return Extraction(reason="several_letters")
    if last.rule == "option_text" and last.reading.letter and _contradicts(last, claims, text.options):
        return Extraction(reason="contradiction")
    if last.reading.letter is None and last.reading.reason == "several_letters" and last.rule not in _MARKED:
        judged = text.judged_after(bisect_left(text.view.starts, last.reading.span[1]))
        if judged is not None:
            return text.found(judged, "verdict")
    return _extraction(last)


def _contradicts(said: Claim, claims: list[Claim], options: OptionSet) -> bool:
    """Whether an answer given by its text is another than the letter given before."""
    letters = [claim.reading.letter for claim in claims if claim.rule != "option_text" and claim.reading.letter]
    return bool(letters) and not options.alike(letters[-1], said.reading.letter or "")


def _is_final(claim: Claim, marked: Claim, text: Prose) -> bool:
    """Whether a claim behind a marked one is labelled as the answer on a line of its own."""
    if claim.at < marked.at or claim.rule != "statement":
        return False
    at = bisect_left(text.view.starts, claim.at)
    return choosing.ANSWER_LABEL.search(text.text, max(0, at - 60), at) is not None


_MARKED = ("json_field", "answer_tag", "boxed")


def _extraction(claim: Claim) -> Extraction:
    if claim.reading.letter is None:
        return Extraction(reason=claim.reading.reason or "no_answer")
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
