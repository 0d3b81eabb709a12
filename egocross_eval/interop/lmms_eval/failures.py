"""Failures as lmms-eval has them: texts in the place of answers, told apart here."""

from __future__ import annotations

import re

from egocross_eval.model_adapters.openai.faults import status_fault
from egocross_eval.schema import FILTERED, Failure, Response

_REQUEST_FAILED = "request_failed"
_KINDS = {
    "[LMMS_EVAL_REQUEST_FAILED": _REQUEST_FAILED,
    "[LMMS_EVAL_BUDGET_EXCEEDED": "budget_exceeded",
    "[GENERATION_FAILED]": _REQUEST_FAILED,
    "[SAFETY_BLOCKED:": FILTERED,
}
"""Kind by the beginning of the text."""

_STATUS = re.compile(r"\] Error code: (?P<status>[45]\d\d)(?: - )?(?P<said>.*)", re.DOTALL)
"""What its clients of servers quote of a reply."""

_LOST = {"] Request timed out": "timeout", "] Connection error": "connection"}
"""Kind by what its clients say where no reply came."""

_NO_TEXT = 'Error: can only concatenate str (not "NoneType") to str'
"""What `async_openai` makes of a reply without text."""

_LONGEST = 500

_API_CLASSES = frozenset(
    (
        *("async_openai", "batch_gpt4", "claude", "gemini", "generation_api", "gpt4o_audio", "gpt4v", "litellm"),
        *("openai", "qwen_vl_api", "reka", "srt_api"),
    )
)
"""Models of lmms-eval that give an empty text where a request failed."""


def is_api_class(model: str) -> bool:
    """Whether a model of lmms-eval's is a client of a server."""
    names = (model, model.removesuffix("_api"), model.removesuffix("_chat").removesuffix("_compatible"))
    return any(name in _API_CLASSES for name in names)


def failure_of(text: str, *, api: bool = False) -> Failure | None:
    """The failure that an output of lmms-eval's stands for, of a client of a server if `api`; None for an answer.

    Kinds: `request_failed`, as `openai:` names it where the text quotes the server (`http_429`, `context_length`), or
    `timeout`, `connection`; `budget_exceeded`, `filtered`, `no_response`.
    """
    if api and text in ("", _NO_TEXT):
        message = "an empty text, which lmms-eval's clients give where a request failed"
        return Failure(kind="no_response", message=message, retryable=True)
    kind = next((kind for beginning, kind in _KINDS.items() if text.startswith(beginning)), None)
    if kind is None:
        return None
    retryable = kind != FILTERED
    if kind == _REQUEST_FAILED:
        kind, retryable = _told_by_server(text)
    return Failure(kind=kind, message=text[:_LONGEST], retryable=retryable)


def _told_by_server(text: str) -> tuple[str, bool]:
    """What kind of failure a failed request was, and whether asking again may help."""
    found = _STATUS.search(text)
    if found is not None:
        fault = status_fault(int(found["status"]), {}, found["said"].encode())
        return fault.kind, fault.retryable
    return next((kind for words, kind in _LOST.items() if words in text), _REQUEST_FAILED), True


def response_of(key: str, text: str, *, api: bool = False) -> Response:
    """The response that an output of lmms-eval's is."""
    failure = failure_of(text, api=api)
    return Response(key=key, failure=failure) if failure else Response(key=key, text=text)
