"""Failures as lmms-eval has them: texts in the place of answers, told apart here."""

from __future__ import annotations

import re

from egocross_eval.model_adapters.hf.full_memory import says_out_of_memory
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

_STATUS = re.compile(r"(?:\]|message:|[Ee]rror:) (?:Error code: )?(?P<status>[45]\d\d) (?:- )?(?P<said>.*)", re.DOTALL)
"""What its clients of servers quote of a reply."""

_DASHSCOPE = re.compile(r'"status_code": (?P<status>[45]\d\d)(?P<said>.*)', re.DOTALL)

_LITELLM = re.compile(r"\] litellm\.(?P<name>\w+): (?P<said>.*)", re.DOTALL)
_STATUSES = {
    "AuthenticationError": 401,
    "PermissionDeniedError": 403,
    "NotFoundError": 404,
    "BadRequestError": 400,
    "ContextWindowExceededError": 400,
    "ContentPolicyViolationError": 400,
    "RateLimitError": 429,
    "InternalServerError": 500,
    "ServiceUnavailableError": 503,
}
"""HTTP status by the name of litellm's error."""

_NO_MODULE = re.compile(r"\] No module named '(?P<module>[\w.]+)'")

_LOST = {"Request timed out": "timeout", "Connection error": "connection", "litellm.Timeout:": "timeout"}
"""Kind by what its clients say where no reply came."""

_NO_TEXT = 'Error: can only concatenate str (not "NoneType") to str'
"""What `async_openai` makes of a reply without text."""

_LONGEST = 500


def failure_of(text: str, *, api: bool = False, said: str = "") -> Failure | None:
    """The failure that an output of lmms-eval's stands for, of a client of a server if `api`; None for an answer.

    `said` is what lmms-eval's log says of it.

    Kinds: `request_failed`, as `openai:` names it where the text quotes the server (`http_429`, `context_length`), or
    `timeout`, `connection`; `budget_exceeded`, `filtered`, `no_response`.
    """
    if api and text in ("", _NO_TEXT):
        message = "an empty text, which lmms-eval's clients give where a request failed"
        return _failure("no_response", message, said)
    kind = next((kind for beginning, kind in _KINDS.items() if text.startswith(beginning)), None)
    if kind is None:
        return None
    if kind == _REQUEST_FAILED:
        return _failure(kind, text, text)
    return Failure(kind=kind, message=text[:_LONGEST], retryable=kind != FILTERED)


def _failure(kind: str, message: str, said: str) -> Failure:
    """A failed request, of the kind that the server told."""
    told, retryable = _told_by_server(said, kind)
    if said not in ("", message):
        message = f"{message}; lmms-eval's log: {said}"
    return Failure(kind=told, message=message[:_LONGEST], retryable=retryable)


def _told_by_server(text: str, otherwise: str) -> tuple[str, bool]:
    """What kind of failure a failed request was, and whether asking again may help."""
    status, said = 0, ""
    if found := _STATUS.search(text) or _DASHSCOPE.search(text):
        status, said = int(found["status"]), found["said"]
    elif found := _LITELLM.search(text):
        status, said = _STATUSES.get(found["name"], 0), found["said"]
    if status:
        fault = status_fault(status, {}, said.encode())
        return fault.kind, fault.retryable
    return next((kind for words, kind in _LOST.items() if words in text), otherwise), True


def missed_module(failure: Failure) -> str:
    """The module that a request failed for, as it isn't installed; empty where it failed for something else."""
    found = _NO_MODULE.search(failure.message)
    return found["module"] if found else ""


def failed_response(key: str, error: Exception, said: str = "") -> Response:
    """The response that an error of a class is; `said` is what lmms-eval's log says of it."""
    message = str(error) or type(error).__name__
    kind = "out_of_memory" if says_out_of_memory(message) else "engine"
    return Response(key=key, failure=_failure(kind, message, said))


def response_of(key: str, text: str, *, api: bool = False, said: str = "") -> Response:
    """The response that an output of lmms-eval's is."""
    failure = failure_of(text, api=api, said=said)
    return Response(key=key, failure=failure) if failure else Response(key=key, text=text)
