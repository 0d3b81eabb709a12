"""`rules`: a judge without a model, which tells right from wrong by numbers, times, ranges, places and names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from egocross_eval.contracts.grader import Grader
from egocross_eval.errors import UsageError
from egocross_eval.grading.values import Value, same, same_as_reference, value_of, values_in
from egocross_eval.reading.pipeline import extract
from egocross_eval.schema import Decision, Grade, Question

TOLERANCE = 0.5
"""Seconds by which a time may be off, if it's nearer to the reference than to any other option."""

_CLAIM = re.compile(r"\banswer(?:\sis\b|\swould be\b|:)", re.I)

_LABELS = "QXZKJVWYUHGFNMPLOTSRCDEBIA"
"""Letters that stand for options here: none was shown, so the rarest words come first."""


class RulesGrader(Grader):
    """Full mark or none, by rules alone: the same in every run, and never asked anything."""

    name = "rules"
    description = "numbers, times, ranges, places and names by rules, without a model"

    def check(self, questions: Sequence[Question]) -> None:
        """A reference is needed."""
        for question in questions:
            if not question.target:
                raise UsageError(f"{question.key} has no known answer to judge by; give a file of answers: --answers")

    def grade(self, question: Question, decision: Decision) -> Grade:
        """Without a known target an answer is unscored, and none at all not parsed."""
        said = decision.text
        if not said:
            return Grade(outcome="not_parsed", reason=decision.reason)
        if not question.target:
            return Grade(outcome="unscored", prediction=said, reason="no known answer")
        right, why = _verdict(question, question.target, said)
        return Grade(
            outcome="right" if right else "wrong", credit=float(right), prediction=said, mark=5.0 * right, reason=why
        )


def _verdict(question: Question, reference: str, said: str) -> tuple[bool, str]:
    """Whether it's right, and why."""
    if same_as_reference(said, reference):
        return True, "says what the reference says"
    target = value_of(reference)
    if target.kind in ("number", "time", "range", "place"):
        return _by_value(question, target, said)
    return _by_name(question, reference, said)


def _by_value(question: Question, target: Value, said: str) -> tuple[bool, str]:
    asked = {value for value in values_in(question.text, target.kind) if not same(value, target)}
    found = [value for value in values_in(_settled(said), target.kind) if value not in asked]
    if len(found) != 1:
        return False, f"names {len(found) or 'no'} {target.kind}{'s' if len(found) > 1 else ''}"
    others = [value_of(text) for text in question.hidden_options.values()]
    right = same(found[0], target) or _near(found[0], target, others)
    return right, f"names the {target.kind} {_shown(found[0])}"


def _settled(said: str) -> str:
    """What stands behind the last "the answer is", or all of it where that isn't said."""
    claims = _CLAIM.split(said)
    return claims[-1] if len(claims) > 1 and claims[-1].strip() else said


def _near(found: Value, target: Value, others: Sequence[Value]) -> bool:
    """Whether a time, or both ends of a range, is as good as the target's."""
    off = _off(found, target)
    return off <= TOLERANCE and all(off < _off(found, other) for other in others if not same(other, target))


def _off(one: Value, other: Value) -> float:
    """By how many seconds two times or ranges differ; infinite where they can't be compared."""
    if one.kind != other.kind or one.kind not in ("time", "range"):
        return float("inf")
    pairs: Iterable[tuple[Any, Any]] = zip(one.parts, other.parts, strict=True)
    return max(abs(float(a) - float(b)) for a, b in pairs)


def _shown(value: Value) -> str:
    return "-".join(part if isinstance(part, str) else f"{part:g}" for part in value.parts)


def _by_name(question: Question, reference: str, said: str) -> tuple[bool, str]:
    """By the option that the text settles on, among those of the closed form."""
    options = question.hidden_options or {"": reference}
    found = extract(said, labelled := _labelled(options, said))
    if found.letter is None:
        return False, f"names none: {found.reason}"
    text = labelled[found.letter]
    return text == reference or same_as_reference(text, reference), f"says {text!r}"


def _labelled(options: Mapping[str, str], said: str) -> dict[str, str]:
    """The options under letters that don't stand alone in the text, so that none is taken for a choice."""
    alone = {match.upper() for match in re.findall(r"\b[A-Za-z]\b", said)}
    free = sorted(_LABELS, key=lambda letter: (letter in alone, _LABELS.index(letter)))
    return dict(zip(free, options.values(), strict=False))
