"""Every fault of a server ends in an answer or in a failure that says why, and is counted exactly."""

from __future__ import annotations

import email.utils
import time
from datetime import UTC, datetime, timedelta

import fake_server
import pytest
from fake_server import FakeServer, http_error, rate_limit
from openai_requests import adapter, ask, request, requests
from ports import closed_port

PASSING = {
    "rate_limit": rate_limit(0),
    "conflict": http_error(409),
    "too_early": http_error(425),
    "request_timeout": http_error(408),
    "server_error": fake_server.HTTP_500,
    "bad_gateway": http_error(502),
    "unavailable": fake_server.HTTP_503,
    "reset": fake_server.RESET,
    "html": fake_server.HTML,
    "truncated": fake_server.TRUNCATED,
    "cut_off": fake_server.CUT_OFF,
    "empty_choices": fake_server.EMPTY_CHOICES,
    "null_content": fake_server.NULL_CONTENT,
    "error_object": fake_server.ERROR_OBJECT,
}


@pytest.mark.parametrize("name", PASSING)
def test_a_passing_fault_is_retried_and_the_question_answered(name: str) -> None:
    with FakeServer(answers="B", faults=[PASSING[name]]) as server:
        responses = ask(adapter(server), requests(12))
    assert {r.text for r in responses.values()} == {"B"}
    assert {r.attempts for r in responses.values()} == {2}
    assert len(responses) == 12
    assert server.count == 24


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("rate_limit", "http_429"),
        ("server_error", "http_500"),
        ("unavailable", "http_503"),
        ("reset", "connection"),
        ("cut_off", "connection"),
        ("html", "bad_response"),
        ("truncated", "bad_response"),
        ("empty_choices", "bad_response"),
        ("null_content", "bad_response"),
        ("error_object", "http_502"),
    ],
)
def test_a_lasting_fault_ends_as_a_failure_after_the_allowed_attempts(name: str, kind: str) -> None:
    def faults(call: fake_server.Call) -> fake_server.Fault | None:
        return PASSING[name] if "Question q3" in call.text else None

    with FakeServer(answers="C", faults=faults) as server:
        responses = ask(adapter(server, max_retries=2), requests(10))
    broken = responses.pop("q3")
    assert broken.failure is not None
    assert broken.failure.kind == kind
    assert broken.failure.retryable
    assert broken.text is None
    assert broken.attempts == 3
    assert {(r.text, r.attempts) for r in responses.values()} == {("C", 1)}
    assert server.count == 9 + 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_a_refusal_is_not_retried_and_carries_the_message_of_the_server(status: int) -> None:
    with FakeServer(faults=lambda call: http_error(status, "the widget is bent")) as server:
        responses = ask(adapter(server), requests(3))
    assert server.count == 3
    for response in responses.values():
        assert response.failure is not None
        assert response.failure.kind == f"http_{status}"
        assert "the widget is bent" in response.failure.message
        assert not response.failure.retryable


def test_a_stalled_reply_times_out_and_is_asked_again() -> None:
    with FakeServer(answers="A", faults=[fake_server.STALL]) as server:
        responses = ask(adapter(server, timeout=2), requests(4))
    assert [(r.text, r.attempts) for r in responses.values()] == [("A", 2)] * 4


def test_a_question_that_always_times_out_fails_after_two_more_attempts() -> None:
    with FakeServer(faults=lambda call: fake_server.STALL) as server:
        response = ask(adapter(server, timeout=1), [request("q")])["q"]
    assert response.failure is not None
    assert response.failure.kind == "timeout"
    assert response.attempts == server.count == 3


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_honoured_by_all_requests(as_date: bool) -> None:
    asked_to_wait = 1.0

    def faults(call: fake_server.Call) -> fake_server.Fault | None:
        if call.attempt > 1 or "Question q0" not in call.text:
            return None
        moment = datetime.now(UTC) + timedelta(seconds=asked_to_wait + 1)
        return rate_limit(email.utils.format_datetime(moment, usegmt=True) if as_date else asked_to_wait)

    with FakeServer(answers="A", faults=faults) as server:
        responses = ask(adapter(server, concurrency=1), requests(2))
    first, second, third = server.calls
    assert "Question q0" in first.text
    assert "Question q0" in second.text
    assert second.at - first.at >= asked_to_wait
    assert third.at >= second.at
    assert responses["q0"].attempts == 2


def test_a_question_that_meets_all_sorts_of_faults_is_answered_in_the_end() -> None:
    names = ("rate_limit", "server_error", "reset", "html", "truncated", "empty_choices", "unavailable", "cut_off")
    with FakeServer(answers="A", faults=[PASSING[name] for name in names]) as server:
        responses = ask(adapter(server, backoff=0), requests(5))
    assert [(r.text, r.attempts) for r in responses.values()] == [("A", 9)] * 5


def test_a_wait_longer_than_allowed_is_a_failure_at_once() -> None:
    with FakeServer(faults=lambda call: rate_limit(86400)) as server:
        responses = ask(adapter(server, max_wait=10), requests(3))
    assert {r.failure.kind for r in responses.values() if r.failure} == {"http_429"}
    assert server.count == 3


def test_an_address_where_nothing_listens_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    from egocross_eval.model_adapters.openai import retry

    monkeypatch.setattr(retry, "NEVER_REACHED_SECONDS", 0.3)
    with closed_port() as port:
        responses = ask(adapter(f"http://127.0.0.1:{port}/v1", concurrency=4), requests(200))
    kinds = [r.failure.kind for r in responses.values() if r.failure]
    assert len(kinds) == 200
    assert set(kinds) == {"connection", "server_dead"}
    assert kinds.count("server_dead") >= 190
    assert all(r.failure.retryable for r in responses.values() if r.failure)


def test_a_server_that_dies_on_the_way_loses_only_what_was_not_answered() -> None:
    answered = 0
    with FakeServer(answers="D") as server:
        model = adapter(server, concurrency=4, patience=0.2)
        failures = 0
        for response in model.generate(requests(100)):
            if response.text == "D":
                answered += 1
            else:
                failures += 1
            if answered == 10:
                server.stop()
        assert answered + failures == 100
        assert 10 <= answered <= 20


def test_a_server_that_only_fails_is_given_up_after_patience_and_three_questions() -> None:
    with FakeServer(faults=lambda call: fake_server.HTTP_503) as server:
        responses = ask(adapter(server, patience=0.3, backoff=0.05), requests(300))
    kinds = [r.failure.kind for r in responses.values() if r.failure]
    assert set(kinds) == {"http_503", "server_dead"}
    assert server.count < 200


def test_one_question_that_breaks_the_server_does_not_take_the_others_with_it() -> None:
    def faults(call: fake_server.Call) -> fake_server.Fault | None:
        return fake_server.HTTP_500 if "Question q0" in call.text else None

    with FakeServer(answers="A", faults=faults) as server:
        responses = ask(adapter(server, concurrency=1, patience=0, max_retries=3), requests(5))
    assert [r.text for r in responses.values()] == [None, "A", "A", "A", "A"]


def test_the_service_coming_back_within_the_retries_costs_nothing() -> None:
    begin = time.monotonic()

    def faults(call: fake_server.Call) -> fake_server.Fault | None:
        return fake_server.HTTP_503 if call.at < begin + 0.5 else None

    with FakeServer(answers="A", faults=faults) as server:
        responses = ask(adapter(server, backoff=0.1), requests(20))
    assert {r.text for r in responses.values()} == {"A"}


@pytest.mark.parametrize(
    ("message", "numbers"),
    [
        (
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9311 tokens.",
            ("8192", "9311"),
        ),
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 1024. "
            "This model's maximum context length is 2048 tokens and your request has 49000 input tokens",
            ("2048", "49000"),
        ),
        ("The decoder prompt (length 50123) is longer than the maximum model length of 32768.", ("32768", "50123")),
        ("The input (5000 tokens) is longer than the model's context length (4096 tokens).", ("4096", "5000")),
    ],
)
def test_a_prompt_beyond_the_context_is_told_with_its_numbers(message: str, numbers: tuple[str, str]) -> None:
    with FakeServer(faults=lambda call: http_error(400, message)) as server:
        failure = ask(adapter(server), [request("q")])["q"].failure
    assert failure is not None
    assert failure.kind == "context_length"
    limit, needed = numbers
    assert f"needs {needed} tokens and the model takes {limit};" in failure.message
    assert "--frames" in failure.message


def test_a_refused_body_field_is_named_with_the_option_that_drops_it() -> None:
    fault = http_error(400, "Unsupported parameter: 'temperature'", param="temperature", code="unsupported_parameter")
    with FakeServer(faults=lambda call: fault) as server:
        failure = ask(adapter(server), [request("q")])["q"].failure
    assert failure is not None
    assert "drop=temperature" in failure.message


def test_a_redirect_is_reported_and_not_followed() -> None:
    moved = http_error(307, "moved", {"Location": "http://127.0.0.1:9/v1/chat/completions"})
    with FakeServer(faults=lambda call: moved) as server:
        failure = ask(adapter(server), [request("q")])["q"].failure
    assert failure is not None
    assert failure.kind == "http_307"
    assert "base_url" in failure.message


def test_a_missing_frame_fails_its_question_alone(tmp_path: object) -> None:
    from pathlib import Path

    with FakeServer(answers="A") as server:
        asked = [request("gone", frames=[Path(str(tmp_path)) / "gone.jpg"]), request("there")]
        responses = ask(adapter(server), asked)
    assert responses["there"].text == "A"
    gone = responses["gone"].failure
    assert gone is not None
    assert gone.kind == "frame"
    assert "gone.jpg" in gone.message
    assert server.count == 1


def test_mixed_faults_over_many_questions_are_counted_exactly() -> None:
    script = list(PASSING.values())

    def faults(call: fake_server.Call) -> fake_server.Fault | None:
        number = int(call.text.split("Question q")[1].split(":")[0])
        if number % 10 == 0:
            return http_error(400, "never")
        return script[number % len(script)] if call.attempt <= number % 3 else None

    with FakeServer(answers="A", faults=faults) as server:
        responses = ask(adapter(server, concurrency=32), requests(210))
    refused = [r for r in responses.values() if r.failure]
    answered = [r for r in responses.values() if r.text == "A"]
    assert len(refused) == 21
    assert len(answered) == 189
    assert sum(r.attempts for r in responses.values()) == server.count


@pytest.mark.parametrize(
    ("status", "said", "remedy"),
    [
        (413, "Request Entity Too Large", "jpeg=true"),
        (400, "Too many images in request. Max is 50.", "--frames uniform:N"),
        (400, "At most 12 images are allowed", "--frames uniform:N"),
        (422, "number of images exceeds the limit of 8 images", "--frames uniform:N"),
    ],
)
def test_too_much_in_a_request_has_its_remedy(status: int, said: str, remedy: str) -> None:
    with FakeServer(faults=[http_error(status, said)]) as server:
        responses = ask(adapter(server), [request("q")])
    failure = responses["q"].failure
    assert failure is not None
    assert remedy in failure.message
    assert failure.kind == f"http_{status}"
