"""What can go wrong with one attempt, told apart: what kind it is, whether to try again, and after how long."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from egocross_eval.model_adapters.openai.asked_wait import asked_wait
from egocross_eval.schema import FILTERED

Contact = Literal["unreachable", "faulty", "alive"]
"""What an attempt tells of the server: no connection at all, a connection but no use of it, or a sane reply."""

WITHHELD_STATUS = 451
"""Unavailable for legal reasons: StepFun's word for a filter."""

RETRIED_STATUSES = frozenset({408, 409, 425, 429})
"""Besides every 5xx."""

_STATUS = re.compile("[45][0-9]{2}")
_LONGEST_MESSAGE = 600
_EXCERPTED = 20_000
"""Characters of an error page that are looked at."""

_CONTEXT = re.compile(
    r"context[ _-]?(length|window|size)|maximum model length|max_model_len|maximum number of tokens|prompt is too long"
    r"|too many (input )?tokens|exceeds? the (model's )?max(imum)? (input )?(length|tokens)",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"(?:context (?:length|window|size)|maximum model length|max_model_len|maximum)\D{0,30}?(\d[\d,]*)", re.IGNORECASE
)
TOKENS_FIELDS = ("max_tokens", "max_completion_tokens")
"""The fields that limit an answer: servers know one of them, or both."""

_TOO_MANY = re.compile(
    r"too many (images|image)|(at most|up to|maximum( number)? of|exceeds?.{0,30}) \d+ images|images? (limit|count)"
    r"|max(imum)?.{0,20}images",
    re.IGNORECASE,
)
_REFUSED_FIELD = re.compile(r"unsupported|unrecogni[sz]ed|unknown|not (permitted|supported)", re.IGNORECASE)
_FILTER_CODE = re.compile(
    r"content_?(filter|polic|violation|moderation|block|safety)|responsible_?ai|inspection_?failed|sensitive|moderation"
    r"|guardrail|censor|unsafe|safety_|prohibited|^(1301|1026|1027)$",
    re.IGNORECASE,
)
"""The last are numbers of Zhipu and MiniMax."""
_FILTERED = re.compile(
    r"content (management|filter(ing)?|policy|moderation)|flagged as pot"
    r"|(input|output|prompt|content|request) (was|is|has been) flagged|responsible ?ai"
    r"|(inappropriate|prohibited|harmful|sensitive) content|safety (system|filter|polic)"
    r"|blocked (by|due to) .{0,30}(filter|guardrail|moderation|safety|security config)"
    r"|violat\w+ .{0,40}(usage|content|safety|use) (polic|guideline)|敏感内容|不当内容|不安全|内容(安全|审核)",
    re.IGNORECASE,
)
_CREDIT_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "arrearage"})
_NO_CREDIT = re.compile(
    r"exceeded your current quota|insufficient (balance|credit|funds)|out of credits?|credit balance is too low",
    re.IGNORECASE,
)
_NO_NUMBERS = "float values are not JSON compliant"
"""In what vLLM says instead of sending log-probabilities that are NaN."""
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?![\w.]*\w)")


class AttemptFault(Exception):  # noqa: N818 - a fault of one attempt; whether it becomes an error is decided later
    """One attempt gave no answer."""

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        retryable: bool,
        contact: Contact = "alive",
        retry_after: float | None = None,
        most_retries: int | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retryable = retryable
        self.contact: Contact = contact
        self.retry_after = retry_after
        """Seconds that the server asked to wait."""
        self.most_retries = most_retries
        """How often a request is repeated after faults of this kind; None: as often as after any."""


def bad_response(message: str) -> AttemptFault:
    """A 200 reply that holds no answer. At temperature 0 it often repeats, so it's retried three times at most."""
    return AttemptFault("bad_response", message, retryable=True, contact="faulty", most_retries=3)


def not_finite() -> AttemptFault:
    """The fault of a model whose log-probabilities are no numbers: its answers mean nothing, and repeating is vain."""
    return AttemptFault(
        "not_finite",
        "the server's log-probabilities are none: its model computes NaN, or the figures are above 0",
        retryable=False,
    )


def status_fault(status: int, headers: Mapping[str, str], data: bytes) -> AttemptFault:
    """The fault of a reply with an HTTP status other than 200."""
    return _server_error(status, headers, _decoded(data), data)


def error_object_fault(error: Any) -> AttemptFault:
    """The fault of a 200 reply that holds an error; its `code`, where it's an HTTP status, counts as the status."""
    code = error.get("code") if isinstance(error, dict) else None
    status = int(code) if isinstance(code, int | str) and _STATUS.fullmatch(str(code)) else 0
    return _server_error(status, {}, {"error": error}, b"")


def _server_error(status: int, headers: Mapping[str, str], body: Any, data: bytes) -> AttemptFault:
    said, code, param = _error_text(body, data)
    name = f"HTTP {status}" if status else "an error"
    message = f"the server replied {name}: {said or 'no message'}"
    if status in (0, 400, 413, 422, 500) and (code == "context_length_exceeded" or _CONTEXT.search(said)):
        return AttemptFault("context_length", _context_message(message, said, body), retryable=False)
    if _NO_NUMBERS in said:
        return not_finite()
    if status == WITHHELD_STATUS or _FILTER_CODE.search(_codes(body)) or _FILTERED.search(said):
        return AttemptFault(FILTERED, message, retryable=False)
    kind = f"http_{status}" if status else "server_error"
    if code.lower() in _CREDIT_CODES or _NO_CREDIT.search(said):
        return AttemptFault(kind, f"{message}; the account has no credit, or its plan is used up", retryable=False)
    if status in RETRIED_STATUSES or status >= 500:
        contact: Contact = "alive" if status in RETRIED_STATUSES else "faulty"
        wait = asked_wait(headers, said)
        return AttemptFault(kind, message, retryable=True, contact=contact, retry_after=wait)
    if status == 0:
        return AttemptFault(kind, message, retryable=True, contact="faulty", most_retries=3)
    return AttemptFault(kind, message + _remedy(status, headers, said, param), retryable=False)


def _remedy(status: int, headers: Mapping[str, str], said: str, param: str) -> str:
    if status in (401, 403):
        sent = "OPENAI_API_KEY goes to OpenAI and to OPENAI_BASE_URL alone"
        return f"; check the key in the environment (api_key_env= names the variable; {sent})"
    if status == 404:
        return "; check the model's name and that base_url ends where /chat/completions follows (often in /v1)"
    if status == 413:
        return (
            "; the request is too large: send fewer frames (--frames uniform:N), smaller ones (--max-pixels N), or PNG "
            "frames as JPEG (jpeg=true); max_body= lets --dry-run find such questions"
        )
    if status in (400, 422) and _TOO_MANY.search(said):
        return "; send fewer frames: --frames uniform:N; max_images= lets --dry-run find such questions"
    if 300 <= status < 400:
        return f"; it redirects to {headers.get('Location', 'nowhere')[:200]!r}, set base_url to where the server is"
    if status in (400, 422) and param and _REFUSED_FIELD.search(said):
        if param in TOKENS_FIELDS:
            other = TOKENS_FIELDS[1 - TOKENS_FIELDS.index(param)]
            return f"; tokens_field={other} in the model spec names the limit as this server wants it"
        return f"; drop={param} in the model spec leaves the field out"
    return ""


def excerpt(data: bytes | str) -> str:
    """One short line of what a server sent, for messages; of an HTML page, its title or text."""
    # No pattern runs over more than this: the one for titles takes the square of the length.
    text = data[: 4 * _EXCERPTED].decode("utf-8", "replace") if isinstance(data, bytes) else data
    text = text[:_EXCERPTED]
    if text.lstrip()[:1] == "<":
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        text = title.group(1) if title else re.sub(r"<[^>]*>", " ", text)
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST_MESSAGE else line[:_LONGEST_MESSAGE] + " ..."


def _decoded(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (ValueError, RecursionError):  # no JSON, no UTF-8, nested without end
        return None


def _error_text(body: Any, data: bytes) -> tuple[str, str, str]:
    """(message, code, parameter) in any of the forms that servers use; the plain text where there's no such form."""
    if not isinstance(body, dict):
        return excerpt(data), "", ""
    error = body.get("error", body)
    if not isinstance(error, dict):
        return excerpt(str(error)), "", ""
    said = error.get("message") or error.get("detail") or error.get("msg") or error
    text = said if isinstance(said, str) else json.dumps(said)
    return excerpt(text), str(error.get("code") or error.get("type") or ""), str(error.get("param") or "")


def _codes(body: Any) -> str:
    """All names that an error object gives its kind, one to a line."""
    error = body.get("error", body) if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return ""
    inner = error.get("innererror")
    places = [error, inner if isinstance(inner, dict) else {}]
    return "\n".join(str(place[name]) for place in places for name in ("code", "type") if place.get(name))


def _context_message(message: str, said: str, body: Any) -> str:
    limit, needed = _context_numbers(said, body)
    if limit is not None and needed is not None:
        message = f"the request needs {needed} tokens and the model takes {limit}; {message}"
    return f"{message}; show fewer frames (--frames), lower the pixel budget, or give the model a longer context"


def _context_numbers(said: str, body: Any) -> tuple[int | None, int | None]:
    """(most tokens the model takes, tokens that were asked for), as far as the server told them."""
    error = body.get("error", body) if isinstance(body, dict) else None
    if (
        isinstance(error, dict)
        and isinstance(error.get("n_ctx"), int)
        and isinstance(error.get("n_prompt_tokens"), int)
    ):
        return error["n_ctx"], error["n_prompt_tokens"]  # llama.cpp
    found = _LIMIT.search(said)
    if not found:
        return None, None
    limit = _whole(found.group(1))
    others = [_whole(number) for number in _NUMBER.findall(said)]
    return limit, max((number for number in others if number > limit), default=None)


def _whole(text: str) -> int:
    return int(text.replace(",", "").rstrip(",") or 0)
