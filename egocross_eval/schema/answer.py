"""What an engine gives, what was sent for it, and what is read from it."""

from __future__ import annotations

from egocross_eval.schema.ask import Ask
from egocross_eval.schema.noun import Noun

FILTERED = "filtered"
"""Kind of the failure that a content filter is."""


class Failure(Noun, frozen=True, kw_only=True):
    """Why a request has no answer. Never written into an answer field."""

    kind: str
    """Short word: `http_429`, `timeout`, `connection`, `bad_response`, `context_length`, `frame`, `out_of_memory`,
    `filtered`, ..."""
    message: str
    retryable: bool = False
    """True where asking again later may succeed."""


class Response(Noun, frozen=True, kw_only=True):
    """What an adapter yields for a request: text, or log-probabilities of the letters, or a failure. Counts and times
    are finite and not negative."""

    key: str
    text: str | None = None
    """Raw output, exactly as the model gave it, thinking included where the engine returns it in the text."""
    reasoning: str | None = None
    """Thinking that the engine returned apart from the text."""
    scores: dict[str, float] | None = None
    """Log-probability by label (choose mode)."""
    failure: Failure | None = None
    finish_reason: str | None = None
    """`stop`, `length`, ... as the engine said."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    reused_tokens: int | None = None
    """Of the input tokens, those that the engine had computed for another prompt; None where it doesn't say. Of a
    batch whose sum alone is known, an equal share."""
    seconds: float | None = None
    """Wall time from sending to the complete answer."""
    first_token_seconds: float | None = None
    """Time to the first token of the answer, as the engine says."""
    token_seconds: float | None = None
    """Time for each further token, as the engine says."""
    attempts: int = 1
    """How often the request was sent."""
    cached: bool = False
    """True if it came from the response cache."""
    replica: str = ""
    """Which of several replicas of the model answered, as node and number."""

    @property
    def filtered(self) -> bool:
        """A content filter withheld the answer: asking again gives no other."""
        return self.failure is not None and self.failure.kind == FILTERED

    @property
    def failed(self) -> bool:
        """There is no answer, and no content filter is why."""
        return self.failure is not None and not self.filtered


class Reading(Noun, frozen=True, kw_only=True):
    """The label read from a response, or an abstention."""

    label: str | None = None
    """In terms of the ask: the label as shown."""
    rule: str | None = None
    """Name of the extraction rule, or `scores` in choose mode."""
    span: tuple[int, int] | None = None
    """Character offsets of the evidence within the raw output."""
    reason: str | None = None
    """Why no label was read, when `label` is None."""


class SentFrame(Noun, frozen=True, kw_only=True, gc=False):
    """A frame as it was sent."""

    name: str
    time: float | None = None
    hash: str = ""


class Sent(Noun, frozen=True, kw_only=True):
    """What was asked: the text of the prompt with `<image>` or `<video>` where media stood, and the frames."""

    messages: tuple[tuple[str, str], ...] = ()
    """(role, text) pairs."""
    frames: tuple[SentFrame, ...] = ()
    content_hash: str = ""


class Answer(Noun, frozen=True, kw_only=True):
    """A response, what it was asked and what was read from it."""

    ask: Ask
    sent: Sent
    response: Response
    reading: Reading = Reading()
    theirs: Reading | None = None
    """What another tool read from the response, in runs that were imported from its logs; the rule is its name."""
