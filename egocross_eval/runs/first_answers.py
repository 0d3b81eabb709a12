"""Ends a run whose first answers show that it can't come to anything as it was asked."""

from __future__ import annotations

from egocross_eval.contracts.event import Answered, Event
from egocross_eval.errors import RunError
from egocross_eval.runs.decide_again import asked_by
from egocross_eval.schema import RunSettings, Sample

LOOKED_AT = 50
"""Answers after which nothing is stopped any more."""

MOST_CUT = 10
"""Of them, those that may be cut off before they name an option: a fifth."""

REFUSED_ALIKE = 20
"""First questions that are all refused in the same words, after which the others are no longer asked."""

SHORT = 256
"""A limit of fewer tokens is meant for short answers: being cut off says something of the model then."""


class FirstAnswers:
    """Told of a run's events; raises `RunError` where too many of the first answers are cut off, or all are refused.

    For a new run alone: the same command again goes on as it is, for whoever wants it so.
    """

    def __init__(self, settings: RunSettings) -> None:
        self._settings = settings
        self._answered = self._cut = 0
        self._refused: set[str] = set()

    def __call__(self, event: Event) -> None:
        """Takes in an answered question."""
        if not isinstance(event, Answered) or self._answered >= LOOKED_AT:
            return
        self._answered += 1
        limit = asked_by(self._settings, event.sample.question).generation.max_new_tokens
        self._cut += limit >= SHORT and any(_cut_off(event.sample))
        self._refused.add(_refusal(event.sample))
        if self._cut > MOST_CUT:
            raise RunError(
                f"{self._cut} of the first {self._answered} answers were cut off at {limit} tokens before they "
                f"named an option, which counts as not parsed: give a higher limit, e.g. --max-new-tokens "
                f"{max(16_384, 4 * limit)}, or let the model think less; the same command again goes on as it is"
            )
        if self._answered == REFUSED_ALIKE and len(self._refused) == 1 and (words := self._refused.pop()):
            raise RunError(
                f"the first {REFUSED_ALIKE} questions were all refused alike: {words}; the same command again asks all "
                f"of them once more"
            )


def _cut_off(sample: Sample) -> list[bool]:
    """Of each answer, whether it ended at the limit with nothing to read."""
    return [
        answer.response.finish_reason == "length"
        and answer.reading.label is None
        and answer.reading.reason != "free_text"
        for answer in sample.answers
        if answer.ask.answer_mode in (None, "generate") and answer.response.scores is None
    ]


def _refusal(sample: Sample) -> str:
    """What a server said as it refused a request for what it is; empty for anything else."""
    failure = sample.failure
    return failure.message if failure is not None and failure.kind in ("http_400", "http_413", "http_422") else ""
