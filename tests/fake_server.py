"""A real OpenAI-compatible chat server on this machine, with faults by script.

In a test:

    with FakeServer(faults=lambda call: HTTP_500 if call.attempt == 1 else None) as server:
        adapter = build("fake", OpenAIOptions(base_url=server.base_url))
        ...
        assert server.count == 2 * questions

From the command line, until Ctrl-C:

    python tests/fake_server.py --port 8123 --fault 429 --every 5
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import math
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Fault:
    """What the server does instead of answering."""

    kind: str
    """`status`, `reset`, `stall`, `html`, `truncated`, `cut_off`, `empty_choices`, `null_content`, `error_object` or
    `slow`."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    seconds: float = 0.0


def rate_limit(retry_after: str | float = 0) -> Fault:
    """429 with a Retry-After of seconds or an HTTP date."""
    return http_error(429, "slow down", {"Retry-After": str(retry_after)})


def http_error(
    status: int, message: str = "fault by script", headers: dict[str, str] | None = None, **more: Any
) -> Fault:
    """A reply with an HTTP status and an error object."""
    return Fault("status", status, headers or {}, json.dumps({"error": {"message": message, **more}}))


def slow(seconds: float) -> Fault:
    """The right answer after a while."""
    return Fault("slow", seconds=seconds)


HTTP_500 = http_error(500)
HTTP_503 = http_error(503)
RESET = Fault("reset")
STALL = Fault("stall")
HTML = Fault("html", body="<html><head><title>Welcome to the proxy</title></head><body><p>It works</p></body></html>")
TRUNCATED = Fault("truncated")
CUT_OFF = Fault("cut_off")
EMPTY_CHOICES = Fault("empty_choices")
NULL_CONTENT = Fault("null_content")
ERROR_OBJECT = Fault("error_object", body=json.dumps({"error": {"message": "upstream failed", "code": 502}}))

FAULTS = {
    "429": rate_limit(0),
    "500": HTTP_500,
    "503": HTTP_503,
    "reset": RESET,
    "stall": STALL,
    "html": HTML,
    "truncated": TRUNCATED,
    "cut_off": CUT_OFF,
    "empty_choices": EMPTY_CHOICES,
    "null_content": NULL_CONTENT,
    "error_object": ERROR_OBJECT,
    "slow": slow(0.2),
}
"""Faults by the names of the command line."""


@dataclass(frozen=True)
class Call:
    """A chat request as it arrived."""

    body: dict[str, Any]
    raw: bytes
    headers: dict[str, str]
    at: float
    """Monotonic seconds of arrival."""
    attempt: int
    """1 for the first request with this body."""
    number: int
    """Which distinct body this is, counted from 1 in the order of first arrival."""

    @property
    def text(self) -> str:
        """All text of the messages, joined by newlines."""
        return "\n".join(part["text"] for part in self.parts if part["type"] == "text")

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The parts of all messages; plain content counts as one text part."""
        parts: list[dict[str, Any]] = []
        for message in self.body["messages"]:
            content = message["content"]
            parts.extend([{"type": "text", "text": content}] if isinstance(content, str) else content)
        return parts

    @property
    def images(self) -> list[tuple[str, bytes]]:
        """(MIME type, file bytes) of every image, decoded strictly."""
        images = []
        for part in self.parts:
            if part["type"] == "image_url":
                found = re.fullmatch(r"data:([a-z/]+);base64,(.*)", part["image_url"]["url"])
                assert found, "an image that is no data URL"
                images.append((found.group(1), base64.b64decode(found.group(2), validate=True)))
        return images


Faults = Callable[[Call], "Fault | None"]
Answers = Callable[[Call], str]


def letter_by_hash(call: Call) -> str:
    """A letter of A to D that depends on the text alone."""
    return "ABCD"[hashlib.sha256(call.text.encode()).digest()[0] % 4]


class FakeServer:
    """The server, in a thread of its own while entered.

    `answers`: gives the output of a call, or a mapping from a piece of the prompt to the output, or one output for all;
    by default a letter that depends on the prompt alone. `faults`: gives the fault of a call, or None for an answer; or
    a list of faults that every distinct request meets one after the other before it is answered.
    """

    def __init__(
        self,
        *,
        answers: Answers | dict[str, str] | str = letter_by_hash,
        faults: Faults | list[Fault] | None = None,
        models: tuple[str, ...] = ("fake",),
        api_key: str = "",
        models_need_key: bool = False,
        latency: float = 0.0,
        keep_calls: bool = True,
        message: dict[str, Any] | None = None,
        finish_reason: str = "stop",
        port: int = 0,
    ) -> None:
        self.models = models
        self.latency = latency
        self.message = message or {}
        self.finish_reason = finish_reason
        self.calls: list[Call] = []
        self.count = 0
        """Chat requests received, whatever became of them."""
        self.most_at_once = 0
        self.fault_counts: Counter[str] = Counter()
        self._answers = answers
        self._faults = faults
        self._api_key = api_key
        self._models_need_key = models_need_key
        self._keep_calls = keep_calls
        self._port = port
        self._attempts: Counter[bytes] = Counter()
        self._numbers: dict[bytes, int] = {}
        self._now = 0
        self._ready = threading.Event()

    @property
    def base_url(self) -> str:
        """Address for `base_url=`."""
        return f"http://127.0.0.1:{self._port}/v1"

    def __enter__(self) -> FakeServer:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        if not self._ready.wait(300):
            raise RuntimeError("the server did not start")
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the server: its port refuses connections afterwards."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(60)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        app = web.Application(client_max_size=2**30)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models", self._list_models)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = runner.addresses[0][1]
        self._ready.set()
        await self._stopping.wait()
        await runner.cleanup()

    async def _list_models(self, request: web.Request) -> web.Response:
        if self._models_need_key and request.headers.get("Authorization") != f"Bearer {self._api_key}":
            return web.json_response({"error": {"message": "Incorrect API key provided"}}, status=401)
        return web.json_response({"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            return await self._reply(request)
        finally:
            self._now -= 1

    async def _reply(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        call = self._received(raw, dict(request.headers))
        if self._api_key and request.headers.get("Authorization") != f"Bearer {self._api_key}":
            sent = request.headers.get("Authorization", "")
            return web.json_response({"error": {"message": f"Incorrect API key provided: {sent}"}}, status=401)
        if call.body.get("model") not in self.models:
            return web.json_response({"error": {"message": f"no model {call.body.get('model')!r}"}}, status=404)
        fault = self._fault(call)
        if fault is not None:
            self.fault_counts[fault.kind if fault.kind != "status" else str(fault.status)] += 1
        await asyncio.sleep(self.latency + (fault.seconds if fault else 0))
        if fault is None or fault.kind == "slow":
            return web.json_response(self._completion(call))
        return await self._misbehave(request, fault, call)

    def _received(self, raw: bytes, headers: dict[str, str]) -> Call:
        digest = hashlib.sha256(raw).digest()
        self._attempts[digest] += 1
        attempt = self._attempts[digest]
        number = self._numbers.setdefault(digest, len(self._numbers) + 1)
        call = Call(json.loads(raw), raw, headers, time.monotonic(), attempt, number)
        self.count += 1
        if self._keep_calls:
            self.calls.append(call)
        return call

    def _fault(self, call: Call) -> Fault | None:
        if callable(self._faults):
            return self._faults(call)
        if self._faults and call.attempt <= len(self._faults):
            return self._faults[call.attempt - 1]
        return None

    async def _misbehave(self, request: web.Request, fault: Fault, call: Call) -> web.StreamResponse:
        if fault.kind == "stall":
            await asyncio.sleep(3600)
        if fault.kind == "reset":
            assert request.transport is not None
            connection = request.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.transport.abort()
            return web.Response()
        whole = json.dumps(self._completion(call))
        if fault.kind == "cut_off":  # the connection ends before the announced length
            response = web.StreamResponse(
                headers={"Content-Type": "application/json", "Content-Length": str(len(whole))}
            )
            await response.prepare(request)
            await response.write(whole[: len(whole) // 2].encode())
            assert request.transport is not None
            request.transport.close()
            return response
        bodies = {
            "truncated": whole[: len(whole) // 2],
            "empty_choices": json.dumps({"choices": [], "usage": None}),
            "null_content": json.dumps(
                {"choices": [{"message": {"role": "assistant", "content": None}, "finish_reason": "stop"}]}
            ),
        }
        kind = "text/html" if fault.kind == "html" else "application/json"
        text = bodies.get(fault.kind, fault.body)
        return web.Response(text=text, status=fault.status, headers=fault.headers, content_type=kind)

    def _output(self, call: Call) -> str:
        if callable(self._answers):
            return self._answers(call)
        if isinstance(self._answers, str):
            return self._answers
        return next((output for piece, output in self._answers.items() if piece in call.text), letter_by_hash(call))

    def _completion(self, call: Call) -> dict[str, Any]:
        output = self._output(call)
        choice: dict[str, Any] = {
            "index": 0,
            "message": {"role": "assistant", "content": output, **self.message},
            "finish_reason": self.finish_reason,
        }
        if call.body.get("logprobs"):
            choice["logprobs"] = {"content": [_first_token(output, call.body.get("top_logprobs", 0))]}
        return {
            "id": "chatcmpl-fake",
            "object": "chat.completion",
            "model": call.body["model"],
            "choices": [choice],
            "usage": {"prompt_tokens": len(call.text.split()), "completion_tokens": 1, "total_tokens": 0},
        }


def _first_token(output: str, count: int) -> dict[str, Any]:
    """Log-probabilities of the first token: the output's first character, with and without a space, then letters."""
    first = output[:1]
    others = [letter for letter in "ABCD" if letter != first]
    shares = {first: 0.5, f" {first}": 0.2, **dict(zip(others, (0.1, 0.08, 0.05, 0.02), strict=False)), "The": 0.01}
    tokens = [{"token": token, "logprob": math.log(share), "bytes": None} for token, share in shares.items()]
    return {**tokens[0], "top_logprobs": tokens[:count]}


def main() -> None:
    """Serves until Ctrl-C; prints the address first."""
    parser = argparse.ArgumentParser(description="A fake OpenAI-compatible server on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument(
        "--answer", default="", help="one output for every question; default: a letter by the prompt's hash"
    )
    parser.add_argument("--model", action="append", default=[], help="model name, repeatable (default: fake)")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each reply")
    parser.add_argument(
        "--fault", action="append", default=[], choices=sorted(FAULTS), help="repeatable, one per attempt"
    )
    parser.add_argument("--every", type=int, default=1, help="only every Nth distinct question meets the faults")
    arguments = parser.parse_args()
    faults = [FAULTS[name] for name in arguments.fault]

    def fault(call: Call) -> Fault | None:
        hit = call.number % arguments.every == 0 and call.attempt <= len(faults)
        return faults[call.attempt - 1] if hit else None

    server = FakeServer(
        answers=arguments.answer or letter_by_hash,
        faults=fault,
        models=tuple(arguments.model) or ("fake",),
        latency=arguments.latency,
        keep_calls=False,
        port=arguments.port,
    )
    with server:
        print(server.base_url, flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            print(f"{server.count} requests, faults: {dict(server.fault_counts)}", flush=True)


if __name__ == "__main__":
    main()
