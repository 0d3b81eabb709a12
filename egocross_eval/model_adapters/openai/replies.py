"""What an OpenAI-compatible server sends back, and the answer within it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from egocross_eval.model_adapters.openai.faults import AttemptFault, bad_response, error_object_fault, excerpt
from egocross_eval.model_adapters.requests import choices
from egocross_eval.schema import Request, Response

_OPENING = "<>()[]{}\"'`*_:.\n\r\t "
"""Signs around a label that leave it the same answer within a token (` A`, `(A`, `**A`)."""


class _Message(msgspec.Struct, frozen=True):
    content: Any = None
    refusal: Any = None
    reasoning_content: Any = None
    reasoning: Any = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message | None = None
    finish_reason: Any = None
    logprobs: Any = None


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: Any = None
    completion_tokens: Any = None


class Reply(msgspec.Struct, frozen=True):
    """The body of a reply. Only what must hold is typed: servers differ in everything else."""

    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None
    model: Any = None
    system_fingerprint: Any = None


_decoder = msgspec.json.Decoder(Reply)


def decode_reply(data: bytes) -> Reply:
    """Reads a 200 reply; raises `AttemptFault` for anything that isn't a whole reply of this protocol."""
    try:
        reply = _decoder.decode(data)
    except msgspec.ValidationError as error:
        raise bad_response(f"the reply has not the form of a chat completion ({error})") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        page = data.lstrip()[:1] == b"<"
        what = "a page instead of JSON" if page else "broken JSON" if data.strip() else "an empty body"
        raise bad_response(
            f"the server replied 200 with {what}: {excerpt(data[-200:] if not page else data)}"
        ) from error
    if reply.error:
        raise error_object_fault(reply.error)
    return reply


def read_answer(request: Request, reply: Reply, *, seconds: float) -> Response:
    """The response to `request` that a reply holds, its text exactly as sent.

    Raises `AttemptFault` where it holds no answer: no choices, null content (unless the output was cut off or all of
    it is
    reasoning), blocked content, or in choose mode none of the labels among the likeliest tokens.
    """
    if not reply.choices:
        raise bad_response("the reply has no choices")
    choice = reply.choices[0]
    message = choice.message or _Message()
    finish = choice.finish_reason if isinstance(choice.finish_reason, str) else None
    reasoning = _first_text(message.reasoning_content, message.reasoning)
    usage = reply.usage or _Usage()
    response = Response(
        key=request.key,
        reasoning=reasoning,
        finish_reason=finish,
        input_tokens=_count(usage.prompt_tokens),
        output_tokens=_count(usage.completion_tokens),
        seconds=round(seconds, 4),
    )
    if request.settings.answer_mode == "choose":
        scores = label_scores(choice.logprobs, choices(request))
        # One token was asked for, so that its end says nothing.
        return msgspec.structs.replace(response, scores=scores, finish_reason=None)
    text = _text(message.content)
    if text is None:
        text = _first_text(message.refusal)
    if text is None:
        if finish == "content_filter":
            raise AttemptFault("content_filter", "the server's content filter withheld the answer", retryable=False)
        if finish != "length" and not reasoning:
            raise bad_response(f"the reply has no content (finish reason {finish})")
        text = ""  # thinking alone, or cut off before the answer began
    return msgspec.structs.replace(response, text=text)


def label_scores(logprobs: Any, labels: Sequence[str]) -> dict[str, float]:
    """Log-probability of each label as the first token, from the likeliest tokens that the server listed.

    Tokens that differ only in spaces or signs around the label (`A`, ` A`, `(A`) are the same answer: their
    probabilities add up. Labels that aren't listed are left out: each is less likely than every token listed. Raises
    `AttemptFault` of kind `no_letter_scores` where none is listed.
    """
    listed = _first_tokens(logprobs)
    if not listed:
        raise AttemptFault(
            "no_letter_scores",
            "the server sent no log-probabilities; it can't compare labels, so let the model generate instead",
            retryable=False,
        )
    sums: dict[str, float] = {}
    for token, logprob in listed.items():
        label = token.strip(_OPENING)
        if label in labels and math.isfinite(logprob):
            sums[label] = sums.get(label, 0.0) + math.exp(logprob)
    # A token whose probability is 0 in a double has no logarithm and could decide nothing.
    scores = {label: math.log(sums[label]) for label in labels if sums.get(label, 0.0) > 0}
    if not scores:
        seen = ", ".join(repr(token) for token in list(listed)[:8])
        raise AttemptFault(
            "no_letter_scores",
            f"none of the labels {', '.join(labels)} is among the {len(listed)} likeliest first tokens ({seen}); "
            f"a model that thinks first has to generate instead",
            retryable=False,
        )
    return scores


def _first_tokens(logprobs: Any) -> dict[str, float]:
    """Log-probability by token at the first place of the output."""
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not (isinstance(content, list) and content and isinstance(content[0], dict)):
        return {}
    entries = [*(content[0].get("top_logprobs") or []), content[0]]
    tokens: dict[str, float] = {}
    for entry in entries:
        token, logprob = (entry.get("token"), entry.get("logprob")) if isinstance(entry, dict) else (None, None)
        if isinstance(token, str) and isinstance(logprob, int | float):
            tokens.setdefault(token, float(logprob))
    return tokens


def _text(content: Any) -> str | None:
    """Content as one string: it's a string, or a list of parts whose texts follow each other."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [
            part if isinstance(part, str) else part.get("text") for part in content if isinstance(part, str | dict)
        ]
        kept = [text for text in texts if isinstance(text, str)]
        return "".join(kept) if kept else None
    return None


def _first_text(*values: Any) -> str | None:
    return next((value for value in values if isinstance(value, str) and value), None)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
