"""From a response to what was read of it: a label, or the final text of an answer in words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import msgspec

from egocross_eval.reading.pipeline import extract
from egocross_eval.reading.text.offsets import View
from egocross_eval.reading.text.thinking import final_part
from egocross_eval.schema import Reading, Response

_FENCED = re.compile(r"```(?:json)?\s*(\{.*\})\s*```", re.DOTALL | re.IGNORECASE)

_BEGUN = re.compile(r"(?<=[.!?\"')\]])\s+[AI]\s*\Z")
"""A last "A" or "I" behind a sentence: where the text was cut off, the first word of the next one."""


class _Predicted(msgspec.Struct):
    """What the style `open-paper` asks for."""

    prediction: str | int | float


def read_response(response: Response, options: Mapping[str, str], choices: Sequence[str]) -> Reading:
    """The label of a response: the best-scored one in choose mode, else what is read from its text.

    `options` are the texts by label as shown, `choices` the labels that it could choose among; without choices nothing
    is read. A tie between options of different text, scores that are no numbers and a failure are abstentions, and a
    text that was cut off doesn't answer with the "A" that its next sentence began with.
    """
    if response.failure is not None:
        return Reading(reason="filtered" if response.filtered else "errored")
    if not choices:
        return Reading(reason="free_text")
    texts = {label: options.get(label, label) for label in choices}
    if response.scores is not None:
        return _best_scored(response.scores, texts)
    text = response.text or ""
    if response.finish_reason == "length":
        text = _BEGUN.sub("", text)
    if not all(len(label) == 1 and label.isascii() and label.isalpha() for label in choices):
        return _named(text, choices)
    found = extract(text, texts, list(choices))
    return Reading(label=found.letter, rule=found.rule, span=found.span, reason=found.reason)


def final_text(output: str) -> str:
    """An answer in words: the output without its thinking, turn marks and special tokens; empty where it ends inside
    its thinking."""
    final = final_part(View.of(output))
    return final.text.strip() if final is not None else ""


def predicted_text(final: str) -> tuple[str, str]:
    """The answer that a final text is, and the rule: `json_field` where it's a JSON object with a prediction, alone or
    fenced, else `text`, the whole of it. What is no valid JSON is taken as it is: nothing is made up."""
    match = _FENCED.fullmatch(final)
    try:
        found = msgspec.json.decode(match[1] if match else final, type=_Predicted)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return final, "text"
    return str(found.prediction).strip(), "json_field"


def _best_scored(scores: Mapping[str, float], texts: Mapping[str, str]) -> Reading:
    usable = {label: scores[label] for label in texts if math.isfinite(scores.get(label, math.nan))}
    if not usable:
        return Reading(reason="no_scores")
    best = max(usable.values())
    winners = [label for label, score in usable.items() if score == best]
    if len({texts[label] for label in winners}) > 1:
        return Reading(reason="tie")
    return Reading(label=winners[0], rule="scores")


def _named(output: str, choices: Sequence[str]) -> Reading:
    """The one label, of labels that are words such as yes and no, that the final text begins or ends with."""
    text = final_text(output)
    if not text:
        return Reading(reason="empty")
    word = re.compile(r"\W*(" + "|".join(re.escape(c) for c in sorted(choices, key=len, reverse=True)) + r")\b", re.I)
    by_case = {label.casefold(): label for label in choices}
    first = word.match(text)
    last = re.search(word.pattern + r"\W*\Z", text, re.I)
    found = {by_case[match[1].casefold()] for match in (first, last) if match}
    if len(found) != 1:
        return Reading(reason="several_letters" if found else "no_answer")
    return Reading(label=found.pop(), rule="whole_output")
