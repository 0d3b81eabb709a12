"""A hostile server: whatever a reply holds is the failure of one question, soon, and never a traceback of the run."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import pytest
from calling import call
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval.api import load_run
from egocross_eval.errors import EgoCrossError
from egocross_eval.model_adapters.openai.adapter import build
from egocross_eval.model_adapters.openai.asked_wait import asked_wait
from egocross_eval.model_adapters.openai.faults import AttemptFault, error_object_fault, excerpt, status_fault
from egocross_eval.model_adapters.openai.first_tokens import label_scores
from egocross_eval.model_adapters.openai.options import OpenAIOptions
from egocross_eval.model_adapters.openai.reply_body import decode_reply


@contextmanager
def hostile_server(status: int, body: bytes, headers: dict[str, str] | None = None) -> Iterator[str]:
    """The address of a server that replies so to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.do_GET()

        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


def completion(**changes: Any) -> bytes:
    message = {"role": "assistant", "content": "A"}
    choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop"}
    whole: dict[str, Any] = {"choices": [choice], "usage": {"prompt_tokens": 10, "completion_tokens": 1}, "model": "m"}
    for name, value in changes.items():
        place = message if name in message else choice if name in ("finish_reason", "logprobs", "message") else whole
        place[name] = value
    return json.dumps(whole).encode()


NESTED = b"[" * 100_000
REPLIES: dict[str, tuple[int, bytes]] = {
    "an odd digit as code": (200, json.dumps({"error": {"code": "²", "message": "x"}}).encode()),
    "an Arabic number as code": (200, json.dumps({"error": {"code": "٤٠٠", "message": "x"}}).encode()),
    "a huge code": (200, b'{"error": {"code": ' + b"4" * 4000 + b', "message": "x"}}'),
    "a list as error": (200, b'{"error": [[1, 2]]}'),
    "an error that nests": (200, b'{"error": ' + NESTED),
    "no UTF-8 in a 500": (500, b'{"error": {"message": "\xff\xfe\x80"}}'),
    "no UTF-8 in a 400": (400, b"\xff" * 1000),
    "brackets without end": (200, NESTED),
    "brackets without end in a 500": (500, NESTED),
    "braces without end": (200, b'{"a":' * 100_000),
    "closed brackets": (200, b"[" * 50_000 + b"]" * 50_000),
    "a page of titles": (500, b"<title" * 50_000),
    "a page of open titles": (503, b"<title>" * 40_000),
    "a page of angles": (400, b"<" * 300_000),
    "spaces": (200, b" " * 300_000),
    "a halved character": (200, b'{"choices": [{"message": {"content": "A \\ud800"}, "finish_reason": "stop"}]}'),
    "a halved character as a name": (200, b'{"\\udfff": 1, "choices": 5}'),
    "a stream of numbers": (200, b'data: {"choices": 5}\n\n'),
    "a stream of wrong places": (
        200,
        b'data: {"choices": [{"delta": {"content": "A"}, "logprobs": {"content": 5}, "finish_reason": "stop"}]}\n\n',
    ),
    "a stream that nests": (200, b"data: " + NESTED + b"\n\n"),
    "a stream of nothing": (200, b"data:\n" * 50_000),
    "log-probabilities as a number": (200, completion(logprobs=5)),
    "top log-probabilities as a number": (200, completion(logprobs={"content": [{"token": "A", "top_logprobs": 5}]})),
    "log-probabilities above 0": (200, completion(logprobs={"content": [{"token": "A", "logprob": 1000.0}]})),
    "log-probabilities beyond floats": (
        200,
        completion(logprobs={"content": [{"token": "A", "logprob": 10**400}]}),
    ),
    "true as a log-probability": (200, completion(logprobs={"content": [{"token": "A", "logprob": True}]})),
    "tokens of a megabyte": (200, completion(logprobs={"content": [{"token": "A" * 2**20, "logprob": -0.1}]})),
    "negative token counts": (200, completion(usage={"prompt_tokens": -5, "completion_tokens": -(10**18)})),
    "huge token counts": (200, completion(usage={"prompt_tokens": 10**30, "completion_tokens": 2**63})),
    "token counts as texts": (200, completion(usage={"prompt_tokens": "9" * 10_000, "completion_tokens": []})),
    "usage as a list": (200, completion(usage=[1])),
    "content as a number": (200, completion(content=7)),
    "content that nests": (200, completion(content=[[[["A"]]]])),
    "content of ten megabytes": (200, completion(content="A or B " * 1_500_000)),
    "a finish reason of a megabyte": (200, completion(finish_reason="error" * 200_000)),
    "a finish reason as a mapping": (200, completion(finish_reason={"a": 1})),
    "a message as a text": (200, completion(message="A")),
    "choices as a mapping": (200, completion(choices={"0": {}})),
    "choices of null": (200, completion(choices=[None])),
    "a model that is a list": (200, completion(model=[1])),
    "a model of a megabyte": (200, completion(model="m" * 2**20)),
    "a context of any size": (400, b'{"error": {"message": "context length 999", "n_ctx": ' + b"9" * 4000 + b"}}"),
    "a parameter as a list": (400, b'{"error": {"message": "unknown field", "param": [[]]}}'),
    "a detail that nests": (422, b'{"detail": ' + b"[" * 900 + b"]" * 900 + b"}"),
    "escapes": (400, b'{"error": {"message": "\\u001b]52;c;eA==\\u0007\\u202e"}}'),
    "an odd status": (999, b"x"),
    "a status of nothing": (204, b""),
    "NaN": (200, b"NaN"),
    "zeros": (200, b"\x00" * 1000),
}


CASES = [
    pytest.param(name, mode, marks=[pytest.mark.slow] if len(body) > 10**7 else [])
    for name, (status, body) in REPLIES.items()
    for mode in ("generate", "choose")
    # What another status comes with is read before it matters what was asked for.
    if status == 200 or mode == "generate"
]


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_a_hostile_reply_is_one_questions_failure(name: str, mode: str, tmp_path: Path) -> None:
    status, body = REPLIES[name]
    began = time.process_time()
    with hostile_server(status, body) as url:
        spec = f"openai:m,base_url={url},max_retries=0,timeout=20"
        code = call(
            *("--model", spec, "--split", "demo", "--limit", "2", "--answer", mode, "--frames", "none", "--no-cache"),
            *("--output", tmp_path / "run"),
        )
    assert code in (0, 1)
    assert time.process_time() - began < 30
    for sample in load_run(tmp_path / "run").samples:
        response = sample.answers[0].response
        assert (response.input_tokens or 0) >= 0
        assert (response.output_tokens or 0) >= 0
        if response.failure is not None:
            assert len(response.failure.message) < 3000
        if response.scores is not None:
            assert all(math.isfinite(score) and score <= 0 for score in response.scores.values())


WAITS = [
    "-1",
    "-1e9",
    "1e9",
    "9" * 400,
    "9" * 5000,
    "nan",
    "inf",
    "٣",
    "²",
    "Fri, 31 Dec 9999 23:59:59 -9999",
    "Fri, 31 Dec 9999 23:59:59 -2400",
    "Mon, 01 Jan 0001 00:00:00 +2400",
    "Wed, 21 Oct 2015 07:28:00 +99999999999999999999",
    "Wed, 21 Oct 99999999 07:28:00 GMT",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-01-01T00:00:00+99:99",
    "1d" * 5000,
    "9" * 300 + "d",
    " ",
    "\x1b[2J",
]


@pytest.mark.parametrize("value", WAITS)
@pytest.mark.parametrize("header", ["Retry-After", "Retry-After-Ms"])
def test_any_wait_is_a_number_or_none(value: str, header: str) -> None:
    wait = asked_wait({header: value})
    assert wait is None or wait >= 0


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_a_wait_or_none(value: str, said: str) -> None:
    wait = asked_wait({"Retry-After": value, "Retry-After-Ms": said}, f"try again in {said}")
    assert wait is None or wait >= 0


def test_a_long_wait_is_not_waited_for(tmp_path: Path) -> None:
    began = time.monotonic()
    with hostile_server(429, b"{}", {"Retry-After": "999999999"}) as url:
        spec = f"openai:m,base_url={url},max_retries=3"
        words = ("--model", spec, "--split", "demo", "--limit", "2", "--frames", "none", "--output", tmp_path / "run")
        assert call(*words) == 1
    assert time.monotonic() - began < 120


@pytest.mark.parametrize("page", ["<title", "<title>", "<title >", "<", "< ", "<t" * 3, "\x00", "<title></titl"])
def test_an_error_page_of_megabytes_takes_no_processor_time(page: str) -> None:
    data = (page * (3_000_000 // len(page))).encode()
    began = time.process_time()
    assert len(excerpt(b"<" + data)) < 700
    status_fault(500, {}, data)
    assert time.process_time() - began < 5


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**30),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "error",
                    "code",
                    "message",
                    "choices",
                    "content",
                    "logprobs",
                    "top_logprobs",
                    "token",
                    "logprob",
                    "usage",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(ANY, st.sampled_from([200, 400, 429, 500]))
def test_reading_any_reply_ends_in_a_reply_or_a_fault(value: Any, status: int) -> None:
    data = json.dumps(value).encode()
    with suppress(AttemptFault):
        decode_reply(data)
    with suppress(AttemptFault):
        decode_reply(b"data: " + data)
    assert isinstance(status_fault(status, {}, data), AttemptFault)
    assert isinstance(error_object_fault(value), AttemptFault)
    with suppress(AttemptFault):
        assert all(math.isfinite(score) and score <= 1e-9 for score in label_scores(value, "AB").values())


@given(st.binary(max_size=80))
def test_what_is_read_can_be_written(data: bytes) -> None:
    with suppress(AttemptFault):
        msgspec.json.encode(decode_reply(b'{"choices": [{"message": {"content": "' + data + b'"}}]}'))


@pytest.mark.parametrize(
    "listing",
    [
        NESTED,
        b"\xff",
        b"null",
        b"[]",
        b'{"data": 5}',
        b'{"data": [{"id": 5}]}',
        b'{"data": []}',
        b'{"data": [{"id": "\x1b[2J"}, {"id": "b"}]}',
        json.dumps({"data": [{"id": "m" * 2**20}] * 2}).encode(),
    ],
    ids=range(9),
)
def test_a_hostile_list_of_models_is_an_error_in_few_words(listing: bytes) -> None:
    with hostile_server(200, listing) as url, pytest.raises(EgoCrossError) as error:
        build("", OpenAIOptions(base_url=url)).model_name()
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize("place", ["http://127.0.0.1:9/x", "file:///etc/passwd", "//evil.example", "\x1b[2J" * 1000])
def test_a_redirect_is_not_followed(place: str, tmp_path: Path) -> None:
    location = place if place.isprintable() else "x" * 5000
    with hostile_server(302, b"", {"Location": location}) as url:
        spec = f"openai:m,base_url={url},max_retries=0"
        words = ("--model", spec, "--split", "demo", "--limit", "2", "--frames", "none", "--output", tmp_path / "run")
        assert call(*words) == 1
