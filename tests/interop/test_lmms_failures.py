"""Texts that lmms-eval puts in the place of answers are told apart, and no answer is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval.interop.lmms_eval.clients import client
from egocross_eval.interop.lmms_eval.failures import failed_response, failure_of, missed_module, response_of

AFTER = "[LMMS_EVAL_REQUEST_FAILED after 5 retries]"


@pytest.mark.parametrize(
    ("text", "kind", "retryable"),
    [
        (f"{AFTER} Error code: 429 - slow down", "http_429", True),
        (f"{AFTER} Error code: 503 - {{'error': {{'message': 'busy'}}}}", "http_503", True),
        (f"{AFTER} Error code: 401 - {{'error': {{'message': 'Incorrect API key provided'}}}}", "http_401", False),
        (f"{AFTER} Error code: 400 - this model's maximum context length is 4096 tokens", "context_length", False),
        (f"{AFTER} Error code: 400 - flagged by our content management policy", "filtered", False),
        (f"{AFTER} Error code: 429 - You exceeded your current quota", "http_429", False),
        (f"{AFTER} 401 UNAUTHENTICATED. {{'error': {{'code': 401}}}}", "http_401", False),
        (f"{AFTER} 503 Service Unavailable. {{}}", "http_503", True),
        (f"{AFTER} litellm.RateLimitError: RateLimitError: slow down", "http_429", True),
        (f"{AFTER} litellm.AuthenticationError: AuthenticationError: no such key", "http_401", False),
        (f"{AFTER} litellm.ContextWindowExceededError: maximum context length is 9", "context_length", False),
        (f"{AFTER} litellm.SomethingNew: broke", "request_failed", True),
        (f"{AFTER} litellm.Timeout: too late", "timeout", True),
        (f"{AFTER} Request timed out.", "timeout", True),
        (f"{AFTER} Connection error.", "connection", True),
        (f"{AFTER} list index out of range", "request_failed", True),
        ("[GENERATION_FAILED] no key", "request_failed", True),
        ("[LMMS_EVAL_BUDGET_EXCEEDED]", "budget_exceeded", True),
        ("[SAFETY_BLOCKED:finish_reason=SAFETY]", "filtered", False),
    ],
)
@pytest.mark.parametrize("api", [False, True])
def test_a_failed_request_says_why(text: str, kind: str, retryable: bool, api: bool) -> None:
    failure = failure_of(text, api=api)
    assert failure is not None
    assert (failure.kind, failure.retryable, failure.message) == (kind, retryable, text)


@pytest.mark.parametrize("text", ["", 'Error: can only concatenate str (not "NoneType") to str'])
def test_a_reply_without_text_is_a_failure_of_clients_alone(text: str) -> None:
    failure = failure_of(text, api=True)
    assert failure is not None
    assert failure.kind == "no_response"
    assert failure_of(text) is None


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("All 5 attempts failed. Last error message: Error code: 401 - {'message': 'no such key'}", "http_401"),
        ("All 5 attempts failed. Last error: Error code: 429 - slow down", "http_429"),
        ("All 5 attempts failed. Last error: Connection error.", "connection"),
        ('{"status_code": 401, "code": "InvalidApiKey", "message": "no such key"}', "http_401"),
        ("All 5 attempts failed. Last error message: something else", ""),
        ("", ""),
    ],
)
def test_a_request_that_failed_without_a_word_is_told_by_the_log(said: str, kind: str) -> None:
    empty = response_of("q", "", api=True, said=said).failure
    broken = failed_response("q", UnboundLocalError("no 'message' here"), said).failure
    assert empty is not None
    assert broken is not None
    assert (empty.kind, broken.kind) == (kind or "no_response", kind or "engine")
    assert said in empty.message
    assert said in broken.message


def test_a_package_that_a_request_missed_is_named() -> None:
    failure = failure_of(f"{AFTER} No module named 'litellm'")
    assert failure is not None
    assert missed_module(failure) == "litellm"
    other = failure_of(f"{AFTER} Error code: 500 - No module named 'x'")
    assert other is not None
    assert missed_module(other) == ""


@pytest.mark.parametrize(
    "name",
    [
        *("openai", "openai_compatible", "openai_compatible_chat", "async_openai", "async_openai_compatible_chat"),
        *("gemini", "gemini_api", "litellm", "litellm_chat", "claude", "gpt4v", "qwen_vl_api", "reka"),
    ],
)
def test_clients_of_servers_are_known_under_all_their_names(name: str) -> None:
    assert client(name)


@pytest.mark.parametrize("name", ["qwen3_vl", "dummy", "vllm", "sglang", "llava_hf"])
def test_engines_are_no_clients(name: str) -> None:
    assert not client(name)


@pytest.mark.hypothesis
@given(st.text(min_size=1), st.booleans())
def test_whatever_a_model_says_is_its_answer(text: str, api: bool) -> None:
    if not text.startswith("["):
        assert response_of("q", text, api=api).text == text
