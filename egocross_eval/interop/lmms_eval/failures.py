"""Failures as lmms-eval has them: texts in the place of answers, told apart here."""

from __future__ import annotations

from egocross_eval.schema import Failure, Response

_KINDS = {
    "[LMMS_EVAL_REQUEST_FAILED": ("request_failed", True),
    "[LMMS_EVAL_BUDGET_EXCEEDED": ("budget_exceeded", True),
}
"""Kind by the beginning of the text, and whether asking again may help."""

_LONGEST = 500


_API_CLASSES = frozenset(
    ("async_openai", "batch_gpt4", "claude", "gemini", "generation_api", "gpt4o_audio", "gpt4v", "litellm", "openai")
)
"""Models of lmms-eval that give an empty text where a request failed."""


def is_api_class(model: str) -> bool:
    """Whether a model of lmms-eval's is a client of a server."""
    return model.removesuffix("_chat").removesuffix("_compatible") in _API_CLASSES


def failure_of(text: str, *, api: bool = False) -> Failure | None:
    """The failure that an output of lmms-eval's stands for, of a client of a server if `api`; None for an answer."""
    for beginning, (kind, retryable) in _KINDS.items():
        if text.startswith(beginning):
            return Failure(kind=kind, message=text[:_LONGEST], retryable=retryable)
    if api and not text:
        message = "an empty text, which lmms-eval's clients give where a request failed"
        return Failure(kind="no_response", message=message, retryable=True)
    return None


def response_of(key: str, text: str, *, api: bool = False) -> Response:
    """The response that an output of lmms-eval's is."""
    failure = failure_of(text, api=api)
    return Response(key=key, failure=failure) if failure else Response(key=key, text=text)
