"""A server on this machine that answers as those of Anthropic, Google, DashScope and Reka do, each in its own form."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from server_thread import ServerThread


@dataclass(frozen=True)
class Asked:
    """A request as it arrived: what was said and shown, in its order."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    text: str
    images: tuple[bytes, ...]
    """Files of the frames, before or between the texts or behind them."""


def letter(asked: Asked) -> str:
    """A letter of A to D that depends on the question alone."""
    return "ABCD"[hashlib.sha256(asked.text.encode()).digest()[0] % 4]


Refuse = Callable[[Asked], "int | None"]


class VendorServer(ServerThread):
    """The server, in a thread of its own while entered. `refuse` gives the HTTP status of a request that is refused."""

    def __init__(self, *, refuse: Refuse = lambda asked: None, answers: Callable[[Asked], str] = letter) -> None:
        self.asked: list[Asked] = []
        self.refuse = refuse
        self._answers = answers
        self._uploads: dict[str, bytes] = {}

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        app = web.Application(client_max_size=2**30)
        app.router.add_post("/v1/messages", self._anthropic)
        app.router.add_post("/v1beta/models/{call}", self._google)
        app.router.add_post("/v1/chat", self._reka)
        app.router.add_get("/api/v1/uploads", self._upload_place)
        app.router.add_post("/bucket", self._upload)
        app.router.add_post("/api/v1/services/aigc/multimodal-generation/generation", self._dashscope)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        await runner.cleanup()

    async def _take(
        self, request: web.Request, texts: Callable[[Any], list[str]], images: Callable[[Any], list[bytes]]
    ) -> tuple[Asked, int | None]:
        body = await request.json()
        asked = Asked(request.path, body, dict(request.headers), "\n".join(texts(body)), tuple(images(body)))
        self.asked.append(asked)
        return asked, self.refuse(asked)

    async def _anthropic(self, request: web.Request) -> web.Response:
        def parts(body: Any) -> list[Any]:
            return [part for message in body["messages"] for part in message["content"]]

        asked, status = await self._take(
            request,
            lambda body: [part["text"] for part in parts(body) if part["type"] == "text"],
            lambda body: [base64.b64decode(part["source"]["data"]) for part in parts(body) if part["type"] == "image"],
        )
        if status:
            error = {"type": "error", "error": {"type": "fault", "message": "fault by script"}}
            return web.json_response(error, status=status)
        content = [{"type": "text", "text": self._answers(asked)}]
        return web.json_response(
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": asked.body["model"],
                "content": content,
                "stop_reason": "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": 7, "output_tokens": 2},
            }
        )

    async def _google(self, request: web.Request) -> web.Response:
        def parts(body: Any) -> list[Any]:
            return [part for content in body["contents"] for part in content["parts"]]

        asked, status = await self._take(
            request,
            lambda body: [part["text"] for part in parts(body) if "text" in part],
            lambda body: [
                base64.urlsafe_b64decode(part["inlineData"]["data"]) for part in parts(body) if "inlineData" in part
            ],
        )
        if status:
            error = {"error": {"code": status, "message": "fault by script", "status": "FAULT"}}
            return web.json_response(error, status=status)
        content = {"role": "model", "parts": [{"text": self._answers(asked)}]}
        usage = {"promptTokenCount": 7, "candidatesTokenCount": 2, "totalTokenCount": 9}
        return web.json_response({"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": usage})

    async def _reka(self, request: web.Request) -> web.Response:
        def parts(body: Any) -> list[Any]:
            return [part for message in body["messages"] for part in message["content"]]

        asked, status = await self._take(
            request,
            lambda body: [part["text"] for part in parts(body) if part["type"] == "text"],
            lambda body: [
                base64.b64decode(part["image_url"].partition(",")[2])
                for part in parts(body)
                if part["type"] == "image_url"
            ],
        )
        if status:
            return web.json_response({"detail": "fault by script"}, status=status)
        message = {"role": "assistant", "content": self._answers(asked)}
        usage = {"input_tokens": 7, "output_tokens": 2}
        responses = [{"finish_reason": "stop", "message": message}]
        return web.json_response({"id": "1", "model": asked.body["model"], "responses": responses, "usage": usage})

    async def _upload_place(self, request: web.Request) -> web.Response:
        fields = ("oss_access_key_id", "signature", "policy", "x_oss_object_acl", "x_oss_forbid_overwrite")
        place = dict.fromkeys(fields, "x") | {"upload_dir": "frames", "upload_host": f"{self.url}/bucket"}
        return web.json_response({"request_id": "1", "data": place})

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        self._uploads["oss://" + str(form["key"])] = file.file.read()
        return web.Response()

    async def _dashscope(self, request: web.Request) -> web.Response:
        def parts(body: Any) -> list[Any]:
            return [part for message in body["input"]["messages"] for part in message["content"]]

        asked, status = await self._take(
            request,
            lambda body: [part["text"] for part in parts(body) if "text" in part],
            lambda body: [self._uploads.get(part["image"], b"") for part in parts(body) if "image" in part],
        )
        if status:
            return web.json_response({"code": "Fault", "message": "fault by script", "request_id": "1"}, status=status)
        message = {"role": "assistant", "content": [{"text": self._answers(asked)}]}
        output = {"choices": [{"finish_reason": "stop", "message": message}]}
        return web.json_response(
            {"request_id": "1", "output": output, "usage": {"input_tokens": 7, "output_tokens": 2}}
        )
