"""`verify`: each option by itself is put to the model, which says yes or no; log-probabilities decide."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec

from egocross_eval.contracts.method import Method, MethodType, Need
from egocross_eval.errors import UsageError, unknown
from egocross_eval.methods.evidence import strongest
from egocross_eval.schema import Answer, Ask, Decision, Question

WORDS = (
    "Question: {question}\n"
    "Here is an answer that somebody gave to this question. Is it right? Reply with {yes} or {no} only.\n"
    "Answer: {option}"
)

_FIELDS = ("option", "question", "yes", "no")
_FIELD = re.compile(rf"\{{({'|'.join(_FIELDS)})\}}")
_LIKE_A_FIELD = re.compile(r"\{([A-Za-z_]\w*)\}")


class VerifyOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of `verify`."""

    chunks: Annotated[
        int, msgspec.Meta(ge=1, description="pieces that the frames are cut into; each is asked about")
    ] = 1
    join: Annotated[
        Literal["mean", "max"],
        msgspec.Meta(description="chance of yes over the chunks: the mean weighted by frames, or the largest"),
    ] = "mean"
    pick: Annotated[
        Literal["highest", "lowest"],
        msgspec.Meta(description="the option likeliest to be affirmed, or the least likely ('which is not visible?')"),
    ] = "highest"
    say: Annotated[str, msgspec.Meta(description="the two replies; each must be a single token of the model")] = (
        "Yes/No"
    )
    words: Annotated[
        str, msgspec.Meta(description="what is asked of an option: {option}, {question} and the replies are put in")
    ] = WORDS


class Verify(Method):
    """One ask for each chunk of frames and each option of different text, named `0A`, `0B`, ..., `1A`, ..."""

    needs: frozenset[Need] = frozenset({"scores", "options"})

    def __init__(self, options: VerifyOptions) -> None:
        if "{option}" not in options.words:
            raise UsageError("--method verify: words must have {option} where the option goes, e.g. 'Is it {option}?'")
        for name in _LIKE_A_FIELD.findall(options.words):
            if name not in _FIELDS:
                raise unknown("field", name, _FIELDS, "--method verify: words")
        yes, slash, no = options.say.partition("/")
        if not slash or not yes or not no or yes == no:
            raise UsageError(f"--method verify: say={options.say!r} is not two different replies, e.g. Yes/No or Y/N")
        self._options, self._yes, self._no = options, yes, no

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        """All asks at once, then the option that is affirmed most (or least)."""
        chunks = _chunks(len(question.frames), self._options.chunks)
        if answers:
            return self._decide(question, answers, [len(chunk or ()) or 1 for chunk in chunks])
        return [
            Ask(
                name=f"{place}{label}",
                after=self._worded(question, text),
                frames=chunk,
                choices=(self._yes, self._no),
                answer_mode="choose",
            )
            for place, chunk in enumerate(chunks)
            for text, label in _distinct(question).items()
        ]

    def most_requests(self, question: Question) -> int:
        """Options of different text times chunks."""
        return len(_distinct(question)) * len(_chunks(len(question.frames), self._options.chunks))

    def _worded(self, question: Question, option: str) -> str:
        # Not str.format: an option may have braces, and a text of the user's must not reach attributes.
        values = dict(zip(_FIELDS, (option, question.text, self._yes, self._no), strict=True))
        return _FIELD.sub(lambda found: values[found[1]], self._options.words)

    def _decide(self, question: Question, answers: Sequence[Answer], weights: Sequence[int]) -> Decision:
        margins: dict[str, dict[int, float]] = {}
        asked = {f"{place}{label}": (place, label) for place in range(len(weights)) for label in question.options}
        for answer in answers:
            place, label = asked[answer.ask.name]
            margin = log_odds(answer.response.scores or {}, self._yes, self._no)
            if margin is not None:
                margins.setdefault(label, {})[place] = margin
        sign = 1 if self._options.pick == "highest" else -1
        joined = {
            label: sign * (max(own.values()) if self._options.join == "max" else _mean_log_odds(own, weights))
            for label, own in margins.items()
            if len(own) == len(weights)
        }
        first = _distinct(question)
        evidence = {label: joined[first[text]] for label, text in question.options.items() if first[text] in joined}
        return strongest(question, evidence, "verified")


def _distinct(question: Question) -> dict[str, str]:
    """The first label of each option by its text: options of the same text are asked about once."""
    first: dict[str, str] = {}
    for label, text in question.options.items():
        first.setdefault(text, label)
    return first


def _chunks(frames: int, count: int) -> list[tuple[int, ...] | None]:
    """Places of consecutive frames in chunks of equal size, as far as there are frames; None stands for all of them."""
    count = min(count, frames)
    if count <= 1:
        return [None]
    ends = [round(number * frames / count) for number in range(count + 1)]
    return [tuple(range(start, end)) for start, end in itertools.pairwise(ends)]


def log_odds(scores: Mapping[str, float], one: str, other: str) -> float | None:
    """log of P(one) / P(other), by their log-probabilities; None where neither is known.

    A server lists the likeliest tokens only. For a label that isn't among them stands the largest probability that it
    can have: what the other one leaves.
    """
    first, second = scores.get(one), scores.get(other)
    if first is None and second is None:
        return None
    left = _rest(second if first is None else first)  # type: ignore[arg-type]
    return (left if first is None else first) - (left if second is None else second)


def _rest(score: float) -> float:
    """Log-probability of everything else than what has this log-probability; bounded, so that it's a number."""
    return math.log(max(-math.expm1(min(score, 0.0)), 1e-9))


def _mean_log_odds(margins: Mapping[int, float], weights: Sequence[int]) -> float:
    """Log-odds of the weighted mean of the probabilities that the log-odds stand for; exact also near 0 and 1."""

    def log_mean(sign: int) -> float:
        logs = [math.log(weights[place]) - _softplus(-sign * margin) for place, margin in margins.items()]
        largest = max(logs)
        return largest + math.log(sum(math.exp(value - largest) for value in logs))

    return log_mean(1) - log_mean(-1)


def _softplus(value: float) -> float:
    """log(1 + exp(value))."""
    return max(value, 0.0) + math.log1p(math.exp(-abs(value)))


def build(argument: str, options: VerifyOptions) -> Verify:
    """The method for `verify`."""
    return Verify(options)


METHOD = MethodType(
    name="verify",
    description="asks of each option whether it is right; the log-probabilities of yes and no decide",
    build=build,
    options=VerifyOptions,
    cost="one for each option and chunk of frames",
    example="verify:chunks=4,join=max",
)
