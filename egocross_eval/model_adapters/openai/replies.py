"""The answer within a reply."""

from __future__ import annotations

from typing import Any

import msgspec

from egocross_eval.model_adapters.openai.faults import AttemptFault, bad_response
from egocross_eval.model_adapters.openai.finish import finish_meaning
from egocross_eval.model_adapters.openai.first_tokens import label_scores, refuse_no_numbers
from egocross_eval.model_adapters.openai.reply_body import Reply, filtered
from egocross_eval.model_adapters.requests import choices
from egocross_eval.schema import Request, Response

_LONGEST_MS = 1e9
_MOST_TOKENS = 10**9


def read_answer(request: Request, reply: Reply, *, seconds: float) -> Response:
    """The response to `request` that a reply holds, its text exactly as sent.

    Raises `AttemptFault` where it holds no answer: the server says that it failed or filtered, no text (unless the
    output was cut off or all of it is reasoning), in choose mode none of the labels among the likeliest tokens, or in
    constrained mode a token whose log-probability is no number.
    """
    finish = finish_meaning(reply.finish_reason)
    if finish == "filtered" or reply.withheld:
        raise filtered("the answer", reply.message.get("refusal"))
    if finish == "failed":
        raise AttemptFault(
            "server_error",
            f"the server broke the answer off (finish reason {reply.finish_reason})",
            retryable=True,
            contact="faulty",
            most_retries=3,
        )
    message = reply.message
    reasoning = _first_text(message.get("reasoning_content"), message.get("reasoning"))
    response = Response(
        key=request.key,
        reasoning=reasoning,
        finish_reason=finish,
        input_tokens=_count(reply.usage.get("prompt_tokens")),
        output_tokens=_count(reply.usage.get("completion_tokens")),
        reused_tokens=_reused(reply),
        seconds=round(seconds, 4),
        first_token_seconds=_seconds(reply.timings.get("prompt_ms")),
        token_seconds=_seconds(reply.timings.get("predicted_per_token_ms")),
    )
    if request.settings.answer_mode == "choose":
        scores = label_scores(reply.logprobs, choices(request))
        # One token was asked for, so that its end says nothing.
        return msgspec.structs.replace(response, scores=scores, finish_reason=None)
    if request.settings.answer_mode == "constrained":
        refuse_no_numbers(reply.logprobs)
    content = _text(message.get("content"))
    chosen = content is not None and finish == "stop" and response.output_tokens  # the model ended at once
    if not content and not chosen and finish != "length" and not reasoning:
        raise bad_response(f"the reply has no content (finish reason {reply.finish_reason})")
    # Nothing but thinking, cut off before the answer began, or ended at once: an empty answer.
    return msgspec.structs.replace(response, text=content or "")


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
    """A number of tokens; None for what can't be one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS else None


def _reused(reply: Reply) -> int | None:
    """Prompt tokens that the server had kept, in either of the forms in which servers say so."""
    details = reply.usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return _count(cached) if cached is not None else _count(reply.timings.get("cache_n"))


def _seconds(milliseconds: Any) -> float | None:
    """Seconds; None for what is no time."""
    number = isinstance(milliseconds, int | float) and not isinstance(milliseconds, bool)
    return round(milliseconds / 1000, 6) if number and 0 <= milliseconds < _LONGEST_MS else None
