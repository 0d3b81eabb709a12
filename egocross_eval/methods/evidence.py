"""What several answers to one question amount to: summed log-probabilities, or votes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from egocross_eval.schema import Answer, Decision, Question


def decide(question: Question, answers: Sequence[Answer], shown: Sequence[Mapping[str, str]]) -> Decision:
    """The option with the largest sum of log-probabilities, or with most votes.

    `shown` says for each answer which of the question's labels stood at each label as shown. Options of the same text
    share their evidence. A tie is an abstention, and so is no vote at all.
    """
    scored = all(answer.response.scores is not None for answer in answers)
    evidence = _summed(question, answers, shown) if scored else _counted(question, answers, shown)
    return strongest(question, evidence, "summed_scores" if scored else "votes")


def strongest(question: Question, evidence: Mapping[str, float], rule: str) -> Decision:
    """The option with the largest evidence; a tie between options of different text is an abstention, and so is no
    evidence at all. Evidence that differs by no more than rounding is the same."""
    if not evidence:
        return Decision(reason="no_votes")
    best = max(evidence.values())
    winners = [label for label in question.options if label in evidence and math.isclose(evidence[label], best)]
    if len({question.options[label] for label in winners}) > 1:
        return Decision(scores=dict(evidence), reason="tie")
    return Decision(label=winners[0], scores=dict(evidence), rule=rule)


def _summed(question: Question, answers: Sequence[Answer], shown: Sequence[Mapping[str, str]]) -> dict[str, float]:
    """Sum of each option's log-probability; options that some answer has no score for are left out."""
    sums: dict[str, float] = dict.fromkeys(question.options, 0.0)
    for answer, own in zip(answers, shown, strict=True):
        by_option = {own[label]: score for label, score in (answer.response.scores or {}).items() if label in own}
        for label in sums:
            sums[label] += by_option.get(label, math.nan)
    return {label: value for label, value in sums.items() if math.isfinite(value)}


def _counted(question: Question, answers: Sequence[Answer], shown: Sequence[Mapping[str, str]]) -> dict[str, float]:
    """Votes by option; those for options of the same text are votes for the first of them."""
    first: dict[str, str] = {}
    for label, text in question.options.items():
        first.setdefault(text, label)
    labels = [own[a.reading.label] for a, own in zip(answers, shown, strict=True) if a.reading.label is not None]
    counts = Counter(first[question.options[label]] for label in labels)
    return {label: float(count) for label, count in counts.items()}
