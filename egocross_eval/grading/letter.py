"""From a response to a prediction and what it counts for."""

from __future__ import annotations

import math

from egocross_eval.reading import extract
from egocross_eval.schema import Outcome, Prediction, Question, Response


def predict(question: Question, response: Response) -> Prediction:
    """The letter of a response: the best-scored one in choose mode, else what the extraction rules read.

    A tie between options of different text, scores that are no numbers and a failure are abstentions.
    """
    if response.failure is not None:
        return Prediction(reason="errored")
    if response.scores is not None:
        return _best_scored(question, response.scores)
    found = extract(response.text or "", question.options, list(question.options))
    return Prediction(letter=found.letter, rule=found.rule, span=found.span, reason=found.reason)


def _best_scored(question: Question, scores: dict[str, float]) -> Prediction:
    usable = {letter: scores[letter] for letter in question.options if math.isfinite(scores.get(letter, math.nan))}
    if not usable:
        return Prediction(reason="no_scores")
    best = max(usable.values())
    winners = [letter for letter, score in usable.items() if score == best]
    if len({question.options[letter] for letter in winners}) > 1:
        return Prediction(reason="tie")
    return Prediction(letter=winners[0], rule="scores")


def judge_outcome(question: Question, response: Response, prediction: Prediction) -> Outcome:
    """What a prediction counts for. Without a known answer an unparsed output is still `not_parsed`."""
    if response.failure is not None:
        return "errored"
    if prediction.letter is None:
        return "not_parsed"
    accepted = question.accepted_letters()
    if not accepted:
        return "unscored"
    return "right" if prediction.letter in accepted else "wrong"
