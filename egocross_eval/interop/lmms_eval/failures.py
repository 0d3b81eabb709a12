"""Failures as lmms-eval has them: texts in the place of answers, told apart here."""

from __future__ import annotations

from egocross_eval.schema import Failure, Response

_KINDS = {
    "[LMMS_EVAL_REQUEST_FAILED": ("request_failed", True),
    "[LMMS_EVAL_BUDGET_EXCEEDED": ("budget_exceeded", True),
}
"""Kind by the beginning of the text, and whether asking again may help."""

_LONGEST = 500


def failure_of(text: str) -> Failure | None:
    """The failure that an output of lmms-eval's stands for; None for an answer."""
    for beginning, (kind, retryable) in _KINDS.items():
        if text.startswith(beginning):
            return Failure(kind=kind, message=text[:_LONGEST], retryable=retryable)
    return None


def response_of(key: str, text: str) -> Response:
    """The response that an output of lmms-eval's is."""
    failure = failure_of(text)
    return Response(key=key, failure=failure) if failure else Response(key=key, text=text)
