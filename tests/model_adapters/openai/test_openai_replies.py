"""Replies as servers send them: failures and filters within a 200, odd fields, streams, spellings of tokens."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest
from fake_server import Call, FakeServer, Fault, http_error, rate_limit
from hypothesis import given
from hypothesis import strategies as st
from openai_requests import adapter, ask, request, requests

from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.openai.asked_wait import asked_wait
from egocross_eval.model_adapters.openai.faults import AttemptFault
from egocross_eval.model_adapters.openai.first_tokens import label_scores, plain
from egocross_eval.model_adapters.openai.reply_body import decode_reply
from egocross_eval.model_adapters.openai.vllm_fields import VllmFields
from egocross_eval.schema import Failure, Response


def body(content: Any = "B", finish: Any = "stop", **more: Any) -> dict[str, Any]:
    """A chat completion; `more` are fields of the choice, or with a dot in front of the whole."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
    choice |= {name: value for name, value in more.items() if not name.startswith("_")}
    usage = {"prompt_tokens": 10, "completion_tokens": 1}
    whole = {"id": "x", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage}
    return whole | {name.removeprefix("_"): value for name, value in more.items() if name.startswith("_")}


def reply(content: dict[str, Any] | str, status: int = 200, **headers: str) -> Fault:
    text = content if isinstance(content, str) else json.dumps(content)
    return Fault("status", status, headers, text)


def answer(*replies: Fault, **settings: Any) -> Response:
    """What becomes of one question to a server that plays these replies, the last one again and again."""

    def faults(call: Call) -> Fault:
        return replies[min(call.attempt, len(replies)) - 1]

    with FakeServer(faults=faults) as server:
        response = ask(adapter(server), [request("q", **settings)])["q"]
        assert server.count == response.attempts
    return response


def failure(*replies: Fault, **settings: Any) -> Failure:
    failed = answer(*replies, **settings).failure
    assert failed is not None
    return failed


FAILURES = {
    "error object in the choice": body("", "error", error={"code": 502, "message": "Provider returned error"}),
    "broken off with a part of the text": body("The answer is B because", "abort"),
    "cancelled": body("B", "CANCELLED"),
    "out of resources": body("B", "insufficient_system_resource"),
    "gemini's other": body("B", "OTHER"),
    "malformed": body(None, "MALFORMED_FUNCTION_CALL"),
    "no text and no reason": body("", None),
    "no text and no tokens": body("", "stop", _usage={"completion_tokens": 0}),
    "error beside no choices": {"object": "error", "message": "CUDA error", "code": 500},
    "a message instead of choices": {"code": 1302, "msg": "too busy"},
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_within_a_200_reply_is_retried_and_never_an_answer(name: str) -> None:
    assert answer(reply(FAILURES[name]), reply(body("B"))).text == "B"
    lasting = answer(reply(FAILURES[name]))
    assert lasting.text is None
    assert lasting.failure is not None
    assert lasting.failure.retryable
    assert lasting.attempts == 4 or lasting.failure.kind.startswith("http_5")


FILTERED = {
    "azure, the prompt": reply(
        {"error": {"message": "The response was filtered", "code": "content_filter", "param": "prompt"}}, 400
    ),
    "azure, the answer": reply(body("", "content_filter")),
    "a part of the answer": reply(body("The answer is", "content_filter")),
    "gemini": reply(body(None, "SAFETY")),
    "gemini, recited": reply(body("", "RECITATION")),
    "gemini, the prompt": reply({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}),
    "anthropic": reply(body("", "refusal")),
    "alibaba": reply({"error": {"message": "Input data may contain", "code": "data_inspection_failed"}}, 400),
    "openrouter": reply({"error": {"message": "requires moderation: your input was flagged", "code": 403}}, 403),
    "alibaba, by type": reply({"error": {"message": "no", "code": "400", "type": "data_inspection_failed"}}, 400),
    "azure, only inside": reply(
        {"error": {"message": "no", "code": "400", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, 400
    ),
    "azure, by its findings": reply(body("", "stop", content_filter_results={"hate": {"filtered": True}})),
    "azure, the prompt's findings": reply(
        {"choices": [], "prompt_filter_results": [{"content_filter_results": {"violence": {"filtered": True}}}]}
    ),
    "a router's own word for it": reply(body("", "stop", native_finish_reason="SAFETY")),
    "a refusal in its field": reply(
        body(None) | {"choices": [{"message": {"refusal": "No."}, "finish_reason": "stop"}]}
    ),
    "openai, reasoning models": reply(
        {"error": {"message": "Invalid prompt: flagged as potentially violating our usage policy", "code": "x"}}, 400
    ),
    "cohere": reply(body("", "ERROR_TOXIC")),
    "bedrock": reply(body("Sorry.", "guardrail_intervened")),
    "minimax": reply({"choices": None, "base_resp": {"status_code": 1027, "status_msg": "output new_sensitive"}}),
    "stepfun": reply({"error": {"message": "blocked", "type": "censored"}}, 451),
    "volcano": reply({"error": {"code": "InputImageSensitiveContentDetected", "message": "The request failed"}}, 400),
    "zhipu": reply({"error": {"code": "1301", "message": "系统检测到输入或生成内容可能包含不安全或敏感内容"}}, 400),
    "xai": reply({"error": "Content violates usage guidelines.", "code": "refused"}, 403),
    "within a choice": reply(body("", "error", error={"code": "content_filter", "message": "no"})),
    "by words alone": reply({"error": {"message": "triggering Azure's content management policy"}}, 400),
}


@pytest.mark.parametrize("name", FILTERED)
@pytest.mark.parametrize("mode", ["generate", "choose"])
def test_a_content_filter_is_one_failure_in_every_form_and_is_not_asked_again(name: str, mode: str) -> None:
    response = answer(FILTERED[name], answer_mode=mode)
    assert response.failure is not None
    assert (response.failure.kind, response.failure.retryable, response.attempts) == ("filtered", False, 1)


ODD = {
    "usage is a list": body("B", _usage=[]),
    "usage is a text": body("B", _usage="10"),
    "no finish reason": body("B", None),
    "a finish reason that is an object": body("B", {"type": "stop"}),
    "choices beside": body("B", _choices_meta=[1]),
    "reasoning is an object": body("B") | {"system_fingerprint": {"a": 1}},
    "another word for the end": body("B", "end_turn"),
    "filters that found nothing": body("B", content_filter_results={"hate": {"filtered": False}}),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_field_that_nobody_needs_loses_no_answer(name: str) -> None:
    assert (answer(reply(ODD[name])).text, answer(reply(ODD[name])).attempts) == ("B", 1)


@pytest.mark.parametrize("text", ["\ufeff" + json.dumps(body("B")), json.dumps(body("B")).replace("10", "NaN", 1)])
def test_json_that_is_not_quite_json_is_read(text: str) -> None:
    assert answer(reply(text)).text == "B"


@pytest.mark.parametrize("word", ["length", "MAX_TOKENS", "max_tokens", "model_length", "max_output_tokens"])
def test_an_answer_that_was_cut_off_is_known_by_any_servers_word(word: str) -> None:
    response = answer(reply(body("Option B shows", word)))
    assert (response.text, response.finish_reason) == ("Option B shows", "length")


def test_an_empty_answer_that_the_model_chose_to_give_is_one() -> None:
    assert answer(reply(body("", "stop"))).text == ""


def stream(*parts: dict[str, Any], ending: str = "data: [DONE]\n\n") -> Fault:
    chunks = [{"id": "x", "model": "m", "choices": [{"index": 0, **part}]} for part in parts]
    text = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    return Fault("status", body=f": ping\n\n{text}{ending}")


def test_a_server_that_always_streams_is_read() -> None:
    begin = {"delta": {"role": "assistant", "content": ""}, "finish_reason": None}
    words = [{"delta": {"reasoning_content": "hm"}}, {"delta": {"content": "The "}}, {"delta": {"content": "B"}}]
    usage = f"data: {json.dumps({'choices': [], 'usage': {'prompt_tokens': 7, 'completion_tokens': 2}})}\n\n"
    response = answer(stream(begin, *words, {"delta": {}, "finish_reason": "stop"}, ending=usage))
    assert (response.text, response.reasoning, response.input_tokens) == ("The B", "hm", 7)
    assert response.finish_reason == "stop"


def test_a_stream_that_breaks_off_or_tells_of_an_error_is_a_failure() -> None:
    assert failure(stream({"delta": {"content": "B"}}, ending="")).kind == "bad_response"
    error = 'data: {"error": {"message": "upstream died", "code": 503}}\n\n'
    failed = failure(stream({"delta": {"content": "B"}}, ending=error))
    assert (failed.kind, failed.retryable) == ("http_503", True)


def test_answers_that_lie_in_the_field_for_reasoning_are_said_to_with_what_to_change() -> None:
    hidden = reply({**body(None), "choices": [{"message": {"content": None, "reasoning_content": "B"}}]})
    failed = failure(hidden)
    assert failed.kind == "answer_in_reasoning"
    assert "--reasoning-parser" in failed.message


def test_a_model_that_answers_as_a_rule_may_end_within_its_thinking() -> None:
    hidden = reply({**body(None), "choices": [{"message": {"content": "", "reasoning": "B"}, "finish_reason": "stop"}]})

    def faults(call: Call) -> Fault:
        return hidden if "Question q3" in call.text else reply(body("A"))

    with FakeServer(faults=faults) as server:
        responses = ask(adapter(server, concurrency=1), requests(5))
    assert [r.text for r in responses.values()] == ["A", "A", "A", "", "A"]
    assert responses["q3"].reasoning == "B"


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_a_server_that_wants_the_other_name_of_the_limit_gets_it_and_keeps_the_limit(field: str) -> None:
    said = f"Unsupported parameter: '{field}' is not supported with this model."
    failed = failure(http_error(400, said, param=field, code="unsupported_parameter"))
    other = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}[field]
    assert f"tokens_field={other}" in failed.message
    assert "drop=" not in failed.message


def test_no_credit_is_no_passing_rate_limit() -> None:
    failed = answer(http_error(429, "You exceeded your current quota, please check", code="insufficient_quota"))
    assert failed.attempts == 1
    assert failed.failure is not None
    assert "no credit" in failed.failure.message


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3),
        ("0.5", 0.5),
        ("1m30s", 90),
        ("250ms", 0.25),
        ("20s", 20),
        ("", None),
        ("soon", None),
        ("1900000000000000000", None),
    ],
)
def test_forms_of_retry_after(value: str, seconds: float | None) -> None:
    assert asked_wait({"Retry-After": value}) == seconds


@pytest.mark.parametrize("form", ["{:.0f}", "{:.0f}000", "iso", "{:.2f}"])
def test_a_moment_in_retry_after_is_waited_for(form: str) -> None:
    moment = time.time() + 30
    iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
    found = asked_wait({"Retry-After": iso if form == "iso" else form.format(moment)})
    assert found is not None
    assert moment - 1 - time.time() <= found <= 31


def test_a_moment_of_a_clock_that_is_wrong_means_the_usual_pauses() -> None:
    assert asked_wait({"Retry-After": str(int(time.time()) + 10**8)}) is None
    assert answer(rate_limit("1900000000"), reply(body("B"))).text == "B"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("Please try again in 20s.", 20), ("Please retry after 2 seconds", 2), ("try again in 150ms", 0.15), ("no", None)],
)
def test_a_message_can_say_how_long_to_wait(said: str, seconds: float | None) -> None:
    assert asked_wait({}, said) == seconds


def listed(**tokens: float) -> dict[str, Any]:
    entries = [{"token": token, "logprob": value} for token, value in tokens.items()]
    return {"content": [{**entries[0], "top_logprobs": entries}]}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("\u2581B", " B"),
        ("\u0120B", " B"),
        ("\u010aB", "\nB"),
        ("<0x42>", "B"),
        ("bytes:\\x42", "B"),
        ("\u00e6\u013a\u00af", "\u662f"),
        ("B", "B"),
        ("\u00e9t\u00e9", "\u00e9t\u00e9"),
        ("<s>", "<s>"),
    ],
)
def test_a_tokens_name_in_the_vocabulary_is_read_as_its_text(name: str, text: str) -> None:
    assert plain(name) == text


@given(st.text(st.characters(codec="utf-8", exclude_characters="\u2581"), min_size=1, max_size=4))
def test_the_name_of_any_text_in_a_byte_level_vocabulary_reads_back(text: str) -> None:
    from egocross_eval.model_adapters.openai.first_tokens import _BYTE_OF, _SAME

    signs = {code: sign for sign, code in _BYTE_OF.items()} | {ord(sign): sign for sign in _SAME}
    name = "".join(signs[code] for code in text.encode())
    assert plain(name) == (text if any(sign in _BYTE_OF for sign in name) else name)


@pytest.mark.parametrize("space", ["\u2581", "\u0120", " "])
def test_the_likeliest_letter_wins_in_any_spelling(space: str) -> None:
    scores = label_scores(listed(**{f"{space}B": -0.05, f"{space}A": -4.0, "A": -6.0, "B": -7.0, "The": -8.0}), "ABCD")
    assert max(scores, key=lambda label: scores[label]) == "B"
    assert scores["B"] == pytest.approx(math.log(math.exp(-0.05) + math.exp(-7)))


def test_labels_can_be_words() -> None:
    scores = label_scores(listed(**{" yes": -0.2, "no": -2.0, "maybe": -3.0}), ("yes", "no"))
    assert scores == {"yes": pytest.approx(-0.2), "no": pytest.approx(-2.0)}


def test_a_label_of_several_tokens_is_named_where_the_first_of_them_is_likeliest() -> None:
    with pytest.raises(AttemptFault, match="only begins the label 'not mentioned'"):
        label_scores(listed(**{" not": -0.1, "yes": -3.0}), ("yes", "not mentioned"))


def test_figures_that_are_no_numbers_are_a_failure_of_the_question() -> None:
    nan = listed(A=0.0)
    nan["content"][0] |= {"logprob": None, "top_logprobs": [{"token": "A", "logprob": None}]}
    assert failure(reply(body("A", logprobs=nan)), answer_mode="choose").kind == "not_finite"


NO_NUMBERS = "Out of range float values are not JSON compliant"
"""What vLLM 0.32 replies by HTTP 400 where a model computes NaN and log-probabilities are asked for."""


@pytest.mark.parametrize("mode", ["choose", "constrained"])
def test_a_server_that_cannot_send_its_figures_is_a_failure_that_says_why(mode: str) -> None:
    failed = failure(reply({"error": {"message": NO_NUMBERS, "code": 400}}, status=400), answer_mode=mode)
    assert (failed.kind, failed.retryable) == ("not_finite", False)
    assert "computes NaN" in failed.message


def test_a_constrained_answer_out_of_no_numbers_is_none() -> None:
    asked = VllmFields(files=False, names_budget=False, tokenizer=pytest.fail).fields(
        request("q", answer_mode="constrained")
    )
    assert asked == {"structured_outputs": {"choice": ["A", "B", "C", "D"]}, "logprobs": True}
    spoiled = listed(A=0.0)
    spoiled["content"][0] |= {"logprob": None}
    assert failure(reply(body("A", logprobs=spoiled)), answer_mode="constrained").kind == "not_finite"
    assert answer(reply(body("A", logprobs=listed(A=-0.1))), answer_mode="constrained").text == "A"
    assert answer(reply(body("A", logprobs=None)), answer_mode="constrained").text == "A"


def test_choosing_ends_where_most_answers_would_begin_with_no_label() -> None:
    words = body("The", logprobs=listed(The=-0.1, A=-4.0, B=-5.0))
    letters = body("A", logprobs=listed(A=-0.1, The=-4.0, B=-5.0))
    with FakeServer(faults=lambda call: reply(words)) as server:
        with pytest.raises(UsageError, match=r"8 of 8 replies .* none of the labels \('The'\).*--answer generate"):
            ask(adapter(server), requests(30, answer_mode="choose"))
        assert server.count < 30
    with FakeServer(faults=lambda call: reply(words if call.number % 3 == 0 else letters)) as server:
        assert len(ask(adapter(server), requests(30, answer_mode="choose"))) == 30


def test_a_wrong_key_is_known_before_any_question_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_API_KEY", "sk-wrong-0123456789")
    with FakeServer(api_key="another", models_need_key=True) as server:
        with pytest.raises(UsageError, match=r"HTTP 401: Incorrect API key provided; check the key"):
            ask(adapter(server, api_key_env="SERVER_API_KEY"), requests(30))
        assert server.count == 0


@pytest.mark.parametrize(
    "refused",
    [
        http_error(401, "Incorrect API key provided"),
        http_error(404, "The model `m` does not exist"),
        http_error(429, "You exceeded your current quota", code="insufficient_quota"),
        http_error(400, "Unsupported parameter: 'seed'", param="seed"),
        http_error(400, "At most 8 images may be provided in one prompt. (request 7f3a99)"),
    ],
)
def test_a_refusal_of_every_question_in_the_same_words_ends_the_run_after_a_few(refused: Fault) -> None:
    with FakeServer(faults=lambda call: refused) as server:
        with pytest.raises(UsageError, match="refuses every question in the same words"):
            ask(adapter(server, concurrency=2), requests(60))
        assert server.count <= 6


def test_refusals_of_single_questions_do_not_end_the_run() -> None:
    def faults(call: Call) -> Fault | None:
        return http_error(400, "the picture is odd") if call.number % 2 == 0 else None

    with FakeServer(answers="A", faults=faults) as server:
        responses = ask(adapter(server, concurrency=1), requests(30))
    assert [r.text for r in responses.values()] == ["A", None] * 15


@pytest.mark.parametrize(("tokens", "ends"), [(4096, True), (1000, False), (256, False)])
def test_a_server_that_cuts_long_prompts_in_silence_is_found_out(tokens: int, ends: bool) -> None:
    usage = {"prompt_tokens": tokens, "completion_tokens": 1}
    asked = [request(f"q{'long' * number}") for number in range(20)]
    with FakeServer(faults=lambda call: reply(body("A", _usage=usage))) as server:
        if ends:
            with pytest.raises(UsageError, match="4 prompts of different lengths all have 4096 tokens"):
                ask(adapter(server), asked)
        else:
            assert len(ask(adapter(server), asked)) == 20


def counted(tokens: Callable[[int], int], lengths: Iterable[int]) -> dict[str, Response]:
    """Responses to prompts of so many repeated words, one after the other, whose tokens the server counts so."""
    made = [request(f"{number}-{'long ' * length}") for number, length in enumerate(lengths)]

    def faults(call: Call) -> Fault:
        usage = {"prompt_tokens": tokens(len(call.text.split())), "completion_tokens": 1}
        return reply(body("A", _usage=usage))

    with FakeServer(faults=faults) as server:
        return ask(adapter(server, concurrency=1), made)


def test_a_server_that_cuts_the_longest_prompts_alone_is_found_out() -> None:
    with pytest.raises(UsageError, match="4 prompts of different lengths all have 2048 tokens"):
        counted(lambda words: min(2048, 2 * words), [100, 600, 1100, 700, 1200, 800, 1300, 1400, 1500])


def test_prompts_of_about_the_same_length_may_have_the_same_number_of_tokens() -> None:
    assert len(counted(lambda words: 2048, [1000, 1001, 1002, 1003, 1004, 1005])) == 6


def test_a_prompt_of_fewer_tokens_than_its_words_need_was_cut() -> None:
    responses = list(counted(lambda words: min(1100, 2 * words), [10, 3000]).values())
    assert responses[0].text == "A"
    failed = responses[1].failure
    assert failed is not None
    assert (failed.kind, failed.retryable) == ("context_length", False)
    assert "1,100 tokens for 0 frames" in failed.message


@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_no_reply_makes_reading_fail_otherwise_than_by_a_fault(data: bytes) -> None:
    with pytest.raises(AttemptFault):
        decode_reply(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted(body() | body()["choices"][0])), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.sampled_from(["usage", "choices", "model", "error"]), JSON)
def test_whatever_stands_in_a_field_reading_ends_in_a_reply_or_a_fault(field: str, value: Any) -> None:
    from egocross_eval.model_adapters.openai.replies import read_answer

    with suppress(AttemptFault):
        read_answer(request("q"), decode_reply(json.dumps(body() | {field: value}).encode()), seconds=0.0)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, (None, None, None)),
        ({"_usage": {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 8}}}, (8, None, None)),
        ({"_usage": {"prompt_tokens": 10, "prompt_tokens_details": None}}, (None, None, None)),
        ({"_timings": {"cache_n": 7, "prompt_ms": 120.5, "predicted_per_token_ms": 20}}, (7, 0.1205, 0.02)),
        ({"_timings": {"cache_n": "7", "prompt_ms": -1, "predicted_per_token_ms": True}}, (None, None, None)),
        ({"_timings": []}, (None, None, None)),
    ],
)
def test_what_a_server_says_of_kept_tokens_and_of_times_is_taken(more: dict[str, Any], told: tuple[Any, ...]) -> None:
    found = answer(reply(body(**more)))
    assert (found.reused_tokens, found.first_token_seconds, found.token_seconds) == told
