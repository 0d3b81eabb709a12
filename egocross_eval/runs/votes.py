"""Asking a question more than once: rotated options, or several samples, and what the answers amount to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import msgspec

from egocross_eval.errors import UsageError
from egocross_eval.grading.letter import predict
from egocross_eval.schema import Failure, GenerationSettings, Prediction, Question, Response, Sample, Vote


class Ballot(msgspec.Struct, frozen=True, kw_only=True):
    """One way to ask a question: options moved up by `rotation` places, and the seed of its sampling."""

    name: str
    """Suffix of the request's key; empty where the question is asked once."""
    rotation: int = 0
    seed: int = 0


def check_votes(text: str, settings: GenerationSettings) -> None:
    """Raises `UsageError` unless `text` is empty, `rotate`, or `sample:N` (N >= 2) with a temperature above 0."""
    if text in ("", "rotate"):
        return
    kind, _, number = text.partition(":")
    if kind != "sample" or not (number.isascii() and number.isdigit() and int(number) >= 2):
        raise UsageError(f"--votes {text!r} is none of: rotate, sample:N (N from 2), e.g. sample:5")
    if settings.answer_mode == "choose" or settings.temperature == 0:
        raise UsageError(f"--votes {text} needs generated answers that differ: set --temperature above 0, e.g. 0.7")


def ballots(text: str, question: Question, seed: int) -> list[Ballot]:
    """The ways to ask a question, in the order in which they're asked."""
    if text == "rotate":
        return [Ballot(name=f"#r{place}", rotation=place, seed=seed) for place in range(len(question.options))]
    if text:
        count = int(text.partition(":")[2])
        return [Ballot(name=f"#s{number}", seed=seed + number) for number in range(count)]
    return [Ballot(name="", seed=seed)]


def rotated(question: Question, rotation: int) -> Question:
    """The question with its options moved up by `rotation` places, as it's shown; it carries no answer."""
    letters, texts = list(question.options), list(question.options.values())
    moved = texts[rotation:] + texts[:rotation]
    return msgspec.structs.replace(question, options=dict(zip(letters, moved, strict=True)), answer=None)


def _option_at(question: Question, shown: str, rotation: int) -> str:
    letters = list(question.options)
    return letters[(letters.index(shown) + rotation) % len(letters)]


def cast(question: Question, ballot: Ballot, response: Response) -> Vote:
    """The vote that a response is."""
    shown = predict(rotated(question, ballot.rotation), response).letter
    return Vote(
        key=response.key,
        rotation=ballot.rotation,
        response=response,
        shown=shown,
        letter=None if shown is None else _option_at(question, shown, ballot.rotation),
    )


def read_again(question: Question, vote: Vote) -> Vote:
    """The same vote under the present extraction rules."""
    return cast(question, Ballot(name="", rotation=vote.rotation), vote.response)


def tally(question: Question, votes: Sequence[Vote]) -> Prediction:
    """What the votes amount to: the option with the largest sum of log-probabilities, or with most votes.

    Options of the same text share their evidence. A tie is an abstention, and so is no vote at all.
    """
    scored = all(vote.response.scores is not None for vote in votes)
    evidence = _summed_scores(question, votes) if scored else _counted(question, votes)
    if not evidence:
        return Prediction(reason="no_votes")
    best = max(evidence.values())
    winners = [letter for letter in question.options if evidence.get(letter) == best]
    if len({question.options[letter] for letter in winners}) > 1:
        return Prediction(reason="tie")
    return Prediction(letter=winners[0], rule="summed_scores" if scored else "votes")


def _summed_scores(question: Question, votes: Sequence[Vote]) -> dict[str, float]:
    """Sum over the votes of each option's log-probability; options that some vote has no score for are left out."""
    sums: dict[str, float] = dict.fromkeys(question.options, 0.0)
    for vote in votes:
        scores = vote.response.scores or {}
        by_option = {_option_at(question, shown, vote.rotation): score for shown, score in scores.items()}
        for letter in sums:
            sums[letter] += by_option.get(letter, math.nan)
    return {letter: value for letter, value in sums.items() if math.isfinite(value)}


def _counted(question: Question, votes: Sequence[Vote]) -> dict[str, float]:
    """Votes by option; those for options of the same text are votes for the first of them."""
    first: dict[str, str] = {}
    for letter, text in question.options.items():
        first.setdefault(text, letter)
    counts = Counter(first[question.options[vote.letter]] for vote in votes if vote.letter is not None)
    return {letter: float(count) for letter, count in counts.items()}


def read_prediction(question: Question, response: Response, votes: Sequence[Vote]) -> Prediction:
    """The prediction of a question that was asked once (no votes) or several times."""
    if not votes or response.failure is not None:
        return predict(question, response)
    return tally(question, votes)


def summed_response(key: str, votes: Sequence[Vote]) -> Response:
    """The cost of all votes in one response: tokens and seconds summed; a failure if one of them failed."""
    responses = [vote.response for vote in votes]
    failed = [response.failure for response in responses if response.failure is not None]
    failure = None
    if failed:
        message = f"{len(failed)} of {len(votes)} votes failed: {failed[0].message}"
        failure = Failure(kind=failed[0].kind, message=message, retryable=any(f.retryable for f in failed))
    return Response(
        key=key,
        failure=failure,
        input_tokens=sum(response.input_tokens or 0 for response in responses),
        output_tokens=sum(response.output_tokens or 0 for response in responses),
        seconds=sum(response.seconds or 0.0 for response in responses),
        attempts=sum(response.attempts for response in responses),
        cached=all(response.cached for response in responses),
    )


def count_rotations(samples: Sequence[Sample]) -> dict[str, int]:
    """How many questions were asked in all rotations, and on how many of them the model kept to the place, or to the
    option.

    Empty where no question was rotated.
    """
    counts: Counter[str] = Counter()
    for sample in samples:
        votes = sample.votes
        if not any(vote.rotation for vote in votes):
            continue
        counts.update(asked=0, position=0, content=0)
        if any(vote.shown is None for vote in votes):
            continue
        counts["asked"] += 1
        counts["position"] += len({vote.shown for vote in votes}) == 1
        counts["content"] += len({sample.question.options[vote.letter or ""] for vote in votes}) == 1
    return dict(counts)
