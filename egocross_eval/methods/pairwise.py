"""`pairwise`: each two options are put to the model in both orders; the option that wins most counts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

import msgspec

from egocross_eval.contracts.method import Method, MethodType, Need
from egocross_eval.methods.evidence import strongest
from egocross_eval.methods.verify import log_odds
from egocross_eval.schema import Answer, Ask, Decision, Question

Wins = dict[tuple[str, str], float]
"""By (winner, loser), how often or with what probability one option was chosen before another."""

STRENGTHS = "pairwise"
"""Rule of decisions by Bradley-Terry strengths, whose logarithms are log-odds."""

WINS = "wins"
"""Rule of decisions by the number of wins."""

ROUNDS = 500
PRIOR = 0.5
"""Wins and losses of each option against one of middling strength, without which an option that wins always would be
infinitely strong."""


class PairwiseOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of `pairwise`."""

    by: Annotated[
        Literal["bradley-terry", "wins"],
        msgspec.Meta(description="strengths by the Bradley-Terry model, or the number of wins"),
    ] = "bradley-terry"


class Pairwise(Method):
    """One ask for each ordered pair of options of different text, named `A-B` by the labels in the order shown.

    Where the run chooses by log-probabilities, the two orders of a pair are joined on their scale, so that a preference
    for the first or the second place cancels; where it generates, each order gives a win.
    """

    needs: frozenset[Need] = frozenset({"options"})

    def __init__(self, options: PairwiseOptions) -> None:
        self._options = options

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        """All asks at once, then the strongest option."""
        if not answers:
            pairs = _pairs(question)
            return [_ask(question, *pair) for pair in pairs] if pairs else [Ask()]
        if not answers[0].ask.name:
            # All options are the same text.
            return Decision(label=answers[0].reading.label, rule=STRENGTHS, reason=answers[0].reading.reason)
        wins = _wins(answers)
        labels = dict.fromkeys(label for pair in wins for label in pair)
        rule, weigh = (WINS, _counted) if self._options.by == "wins" else (STRENGTHS, _bradley_terry)
        decision = strongest(question, _shared(question, weigh(labels, wins)), rule)
        return _between_the_best(question, decision, wins, rule) if decision.reason == "tie" else decision

    def most_requests(self, question: Question) -> int:
        """Ordered pairs of options of different text."""
        return len(_pairs(question)) or 1


def _pairs(question: Question) -> list[tuple[str, str]]:
    """Labels of options of different text, in both orders; those that begin alike one after the other."""
    first: dict[str, str] = {}
    for label, text in question.options.items():
        first.setdefault(text, label)
    return list(itertools.permutations(first.values(), 2))


def _ask(question: Question, one: str, other: str) -> Ask:
    shown = {"A": question.options[one], "B": question.options[other]}
    words = (
        f"Question: {question.text}\n"
        "Which of these two answers fits better? Reply with one letter only: A or B.\n"
        f"A: {shown['A']}\nB: {shown['B']}"
    )
    return Ask(name=f"{one}-{other}", after=words, options=shown)


def _wins(answers: Iterable[Answer]) -> Wins:
    """Wins by what was answered: probabilities where there are scores, 1 for a letter. What couldn't be read says
    nothing."""
    wins: Wins = {}
    odds: dict[tuple[str, str], float] = {}
    for answer in answers:
        one, _, other = answer.ask.name.partition("-")
        if answer.response.scores is not None:
            margin = log_odds(answer.response.scores, "A", "B")
            if margin is not None:
                odds[one, other] = margin
        elif answer.reading.label is not None:
            pair = (one, other) if answer.reading.label == "A" else (other, one)
            wins[pair] = wins.get(pair, 0.0) + 1
    for (one, other), margin in odds.items():
        # With both orders known, the mean of the two: what is the place's cancels.
        back = odds.get((other, one))
        joined = margin if back is None else (margin - back) / 2
        wins[one, other] = wins.get((one, other), 0.0) + 1 / (1 + math.exp(-max(min(joined, 700), -700)))
        wins[other, one] = wins.get((other, one), 0.0) + 1 / (1 + math.exp(max(min(joined, 700), -700)))
    return wins


def _counted(labels: Iterable[str], wins: Wins) -> dict[str, float]:
    return {label: sum(value for (winner, _), value in wins.items() if winner == label) for label in labels}


def _bradley_terry(labels: Iterable[str], wins: Wins) -> dict[str, float]:
    """Log of each option's strength: P(a before b) = s(a) / (s(a) + s(b)), by Hunter's MM algorithm with a prior."""
    won = _counted(labels, wins)
    met: dict[tuple[str, str], float] = {
        (a, b): wins.get((a, b), 0.0) + wins.get((b, a), 0.0) for a, b in itertools.permutations(won, 2)
    }
    strength = dict.fromkeys(won, 1.0)
    for _ in range(ROUNDS):
        new = {
            a: (won[a] + PRIOR)
            / (2 * PRIOR / (strength[a] + 1) + sum(met[a, b] / (strength[a] + strength[b]) for b in won if b != a))
            for a in won
        }
        done = all(math.isclose(new[a], strength[a], rel_tol=1e-12) for a in won)
        strength = new
        if done:
            break
    return {label: math.log(value) for label, value in strength.items()}


def _shared(question: Question, strengths: Mapping[str, float]) -> dict[str, float]:
    """The strengths, those of an option also for the others of the same text."""
    by_text = {question.options[label]: value for label, value in strengths.items()}
    return {label: by_text[text] for label, text in question.options.items() if text in by_text}


def _between_the_best(question: Question, tied: Decision, wins: Wins, rule: str) -> Decision:
    """Of options that are equally strong, the one that won most against the others of them."""
    best = max(tied.scores.values())
    labels = [label for label, value in tied.scores.items() if math.isclose(value, best)]
    among = {pair: value for pair, value in wins.items() if set(pair) <= set(labels)}
    found = strongest(question, _shared(question, _counted(labels, among)), rule)
    return Decision(label=found.label, scores=tied.scores, rule=found.rule, reason=found.reason)


def build(argument: str, options: PairwiseOptions) -> Pairwise:
    """The method for `pairwise`."""
    return Pairwise(options)


METHOD = MethodType(
    name="pairwise",
    description="puts each two options side by side, in both orders; the one that wins most counts",
    build=build,
    options=PairwiseOptions,
    cost="one for each ordered pair of options: 12 for 4",
    example="pairwise:by=wins",
)
