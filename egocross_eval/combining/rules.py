"""What the decisions of several runs on one question amount to."""

from __future__ import annotations

import math
from collections.abc import Sequence

from egocross_eval.methods.evidence import strongest
from egocross_eval.methods.pairwise import STRENGTHS, WINS
from egocross_eval.schema import Decision, Question, Sample

TIE = "votes_of_the_first"
"""Rule of a decision between options with equally many votes."""

_SUMMED = "summed_runs"
"""Rule of a decision by the sum over runs."""

_COUNTS = frozenset({"votes", TIE, WINS})
"""Rules whose scores are counts, whatever they were counted by."""


def summed(question: Question, parts: Sequence[Sample], weights: Sequence[float]) -> Decision:
    """The option with the largest weighted sum of log-probabilities.

    A part that has no log-probabilities for the question adds nothing; an option that one of the others has none for is
    left out.
    """
    known = [(weight, scores) for part, weight in zip(parts, weights, strict=True) if (scores := _scores(part))]
    labels = [label for label in question.options if known and all(label in scores for _, scores in known)]
    if known and not labels:
        return Decision(reason="no_option_in_common")
    return strongest(
        question, {label: sum(weight * scores[label] for weight, scores in known) for label in labels}, _SUMMED
    )


def _scores(part: Sample) -> dict[str, float]:
    """What a part's decision says of the options, as log-probabilities that make one together."""
    decision = part.decision
    # What rests on letters, numbers or places alone is counts or distances, but for strengths in log-odds.
    rests = any(answer.response.scores is not None for answer in part.answers)
    if decision.rule in _COUNTS or not (rests or decision.rule == STRENGTHS):
        return {}
    # Sums over several orders are means: asking more often makes no one surer. Sums over runs stay sums, so that runs
    # can be combined in steps.
    times = len(part.answers) if decision.rule == "summed_scores" else 1
    values = {label: score / times for label, score in decision.scores.items() if math.isfinite(score)}
    if not values:
        return {}
    largest = max(values.values())
    total = largest + math.log(sum(math.exp(value - largest) for value in values.values()))
    return {label: value - total for label, value in values.items()}


def has_scores(part: Sample) -> bool:
    """Whether there are scores that can be summed."""
    return bool(_scores(part))


def voted(question: Question, parts: Sequence[Sample], weights: Sequence[float]) -> Decision:
    """The option with most votes; options of the same text share theirs. Of options with equally many, the one that the
    first of their voters is for: never the one that happens to stand first."""
    first: dict[str, str] = {}
    for label, text in question.options.items():
        first.setdefault(text, label)
    votes: dict[str, float] = {}
    for part, weight in zip(parts, weights, strict=True):
        if part.decision.label is not None:
            label = first[question.options[part.decision.label]]
            votes[label] = votes.get(label, 0.0) + weight
    found = strongest(question, votes, "votes")
    if found.reason != "tie":
        return found
    most = max(votes.values())
    leader = next(label for label, value in votes.items() if math.isclose(value, most))
    return Decision(label=leader, scores=votes, rule=TIE)
