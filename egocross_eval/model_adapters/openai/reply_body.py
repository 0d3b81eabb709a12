"""The body of a reply: JSON, or the event stream of a server that always streams. Only what's needed must be there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from egocross_eval.model_adapters.openai.faults import AttemptFault, bad_response, error_object_fault, excerpt
from egocross_eval.model_adapters.openai.finish import finish_meaning
from egocross_eval.schema import FILTERED

_LONGEST_REASON = 100


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A chat completion's only choice and what surrounds it; whatever has an unexpected form counts as absent."""

    message: dict[str, Any]
    finish_reason: str | None = None
    """In the server's own words."""
    withheld: bool = False
    """Beside the finish reason, something says that a content filter left no text."""
    logprobs: Any = None
    usage: dict[str, Any] = {}
    timings: dict[str, Any] = {}
    """As llama.cpp's server adds them."""
    model: Any = None
    system_fingerprint: Any = None


def decode_reply(data: bytes) -> Reply:
    """Reads a 200 reply; raises `AttemptFault` for an error in it, and for anything that is no chat completion."""
    body = _joined(data) if _is_stream(data) else _decoded(data)
    if not isinstance(body, dict):
        raise bad_response(f"the reply has not the form of a chat completion: {excerpt(data)}")
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    message = _object(choice.get("message"))
    for part in (body, choice, message):
        if part.get("error"):
            raise error_object_fault(part["error"])
    if body.get("object") == "error":
        raise error_object_fault(body)
    status = _object(body.get("base_resp"))  # MiniMax
    if status.get("status_code"):
        raise error_object_fault({"code": status["status_code"], "message": status.get("status_msg")})
    if not choice:
        if _object(body.get("promptFeedback")).get("blockReason") or _flagged(body.get("prompt_filter_results")):
            raise filtered("the prompt")
        raise bad_response(f"the reply has no choices: {excerpt(data)}")
    finish = choice.get("finish_reason")
    return Reply(
        message=message,
        finish_reason=finish[:_LONGEST_REASON] if isinstance(finish, str) else None,
        withheld=_withheld(choice, message),
        logprobs=choice.get("logprobs"),
        usage=_object(body.get("usage")),
        timings=_object(body.get("timings")),
        model=body.get("model"),
        system_fingerprint=body.get("system_fingerprint"),
    )


def filtered(what: str, refusal: Any = None) -> AttemptFault:
    """A content filter withheld `what` (the answer, the prompt); `refusal` is what it said instead."""
    said = f": {excerpt(refusal)}" if isinstance(refusal, str) and refusal else ""
    return AttemptFault(FILTERED, f"the server's content filter withheld {what}{said}", retryable=False)


def _withheld(choice: dict[str, Any], message: dict[str, Any]) -> bool:
    """Whether a reply without text says that it was withheld: a refusal, a flag, or the provider's own finish reason
    behind a router's."""
    if _object(message).get("content") or choice.get("logprobs"):
        return False
    reasons = [choice.get(name) for name in ("native_finish_reason", "stop_reason", "matched_stop")]
    return (
        bool(message.get("refusal"))
        or any(isinstance(reason, str) and finish_meaning(reason) == "filtered" for reason in reasons)
        or _flagged(choice.get("content_filter_results"))
    )


def _flagged(results: Any) -> bool:
    """Whether Azure's findings have a category that was filtered, at any depth that they come in."""
    if isinstance(results, list):
        return any(map(_flagged, results))
    if not isinstance(results, dict):
        return False
    return results.get("filtered") is True or any(map(_flagged, results.values()))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _decoded(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (ValueError, RecursionError) as error:
        try:
            # More lenient: a byte-order mark, bytes that are no UTF-8, NaN, control characters within strings.
            return _whole_characters(json.loads(data.decode("utf-8-sig", "replace"), strict=False))
        except (ValueError, RecursionError):
            page = data.lstrip()[:1] == b"<"
            what = "a page instead of JSON" if page else "broken JSON" if data.strip() else "an empty body"
            raise bad_response(
                f"the server replied 200 with {what}: {excerpt(data if page else data[-200:])}"
            ) from error


def _whole_characters(value: Any) -> Any:
    """The value with a question mark for each half of a character, which no file can hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_whole_characters(one) for one in value]
    if isinstance(value, dict):
        return {_whole_characters(name): _whole_characters(one) for name, one in value.items()}
    return value


def _is_stream(data: bytes) -> bool:
    """Whether a body is an event stream (WHATWG HTML, 9.2.6): lines that begin with a field's name or a colon."""
    return data.lstrip().startswith((b"data:", b"event:", b"id:", b"retry:", b":"))


def _joined(data: bytes) -> dict[str, Any]:
    """The chunks of a streamed completion as one that wasn't streamed."""
    body: dict[str, Any] = {}
    message: dict[str, Any] = {}
    choice: dict[str, Any] = {"message": message}
    places: list[Any] = []
    for chunk in _chunks(data):
        body |= {key: value for key, value in chunk.items() if key != "choices" and value is not None}
        for part in _list(chunk.get("choices")):
            if not isinstance(part, dict) or part.get("index", 0) != 0:
                continue
            for key, value in _object(part.get("delta") or part.get("message")).items():
                message[key] = message[key] + value if _both_text(message.get(key), value) else value
            places += _list(_object(part.get("logprobs")).get("content"))
            choice |= {key: part[key] for key in ("finish_reason", "error") if part.get(key) is not None}
    if choice.get("finish_reason") is None and "error" not in body and "error" not in choice:
        raise bad_response("the stream ended before the answer did")
    return {**body, "choices": [{**choice, "logprobs": {"content": places} if places else None}]}


def _chunks(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.decode("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        if name == "data" and value.strip() not in ("", "[DONE]"):
            chunk = _decoded(value.encode())
            if isinstance(chunk, dict):
                yield chunk


def _both_text(one: Any, other: Any) -> bool:
    return isinstance(one, str) and isinstance(other, str)
