"""One request from its body to its response, over an open session."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from egocross_eval.errors import UsageError
from egocross_eval.frames.pictures import FrameError
from egocross_eval.model_adapters.checkpoints.label_tokens import LabelError
from egocross_eval.model_adapters.openai.beginnings import Beginnings
from egocross_eval.model_adapters.openai.body import BodyWriter, UnsupportedPromptError
from egocross_eval.model_adapters.openai.faults import AttemptFault, bad_response, status_fault
from egocross_eval.model_adapters.openai.habits import Habits
from egocross_eval.model_adapters.openai.options import OpenAIOptions
from egocross_eval.model_adapters.openai.pieces import JsonBody
from egocross_eval.model_adapters.openai.replies import read_answer
from egocross_eval.model_adapters.openai.reply_body import Reply, decode_reply
from egocross_eval.model_adapters.openai.retry import ServerWatch, retried
from egocross_eval.model_adapters.openai.transport import MODELS, HttpReply, Transport
from egocross_eval.model_adapters.streams.byte_budget import ByteBudget, Hold
from egocross_eval.model_adapters.streams.stream import Answer
from egocross_eval.schema import Failure, Request, Response

CHAT = "/chat/completions"

CHECK_SECONDS = 5.0
"""A server that takes longer to list its models isn't waited for."""

UPLOAD_BYTES = 64 * 2**20
"""Frame bytes held at once by the requests that are being sent; a single larger request goes alone."""

_LONGEST_MESSAGE = 2000

Note = Callable[[HttpReply, Reply], None]


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """What all requests to a server have in common."""

    transport: Transport
    bodies: BodyWriter
    options: OpenAIOptions
    model: str
    note: Note
    """Called with each reply."""
    habits: Habits


@asynccontextmanager
async def opened(asking: Asking) -> AsyncIterator[Answer]:
    """Opens a session and gives the function that answers a request over it."""
    async with asking.transport:
        await _check_key(asking)
        watch = ServerWatch(patience=asking.options.patience, max_wait=asking.options.max_wait)
        budget = ByteBudget(UPLOAD_BYTES)
        beginnings = Beginnings(asking.bodies, asking.model)

        async def answer(request: Request) -> Response:
            return await _Question(request, asking, watch, budget, beginnings).answer()

        yield answer


async def _check_key(asking: Asking) -> None:
    """Asks the server for something small first, before frames are sent; raises UsageError where it refuses the key.

    Many servers have no list of models, or give it to anyone: nothing else is concluded from the reply.
    """
    try:
        reply = await asyncio.wait_for(asking.transport.get(MODELS), CHECK_SECONDS)
    except (AttemptFault, TimeoutError):
        return
    if reply.status in (401, 403):
        fault = status_fault(reply.status, reply.headers, reply.data)
        raise UsageError(f"openai: {asking.transport.key.hide(fault.message)}")


class _Question:
    """The attempts at one request."""

    def __init__(
        self, request: Request, asking: Asking, watch: ServerWatch, budget: ByteBudget, beginnings: Beginnings
    ) -> None:
        self._request = request
        self._asking = asking
        self._watch = watch
        self._budget = budget
        self._beginnings = beginnings
        self._attempts = 0
        self._last_fault: AttemptFault | None = None

    async def answer(self) -> Response:
        """The response after as many attempts as it takes and is allowed; a failure where there's no answer."""
        try:
            try:
                response = await self._attempt()
            except AttemptFault as fault:
                if not fault.retryable:
                    raise
                response = await retried(fault, self._attempt, self._asking.options, self._watch)
        except AttemptFault as fault:
            self._asking.habits.refused(fault)
            return self._failed(fault.kind, fault.message, retryable=fault.retryable)
        except FrameError as error:
            return self._failed("frame", str(error), retryable=False)
        except UnsupportedPromptError as error:
            return self._failed("unsupported", str(error), retryable=False)
        except LabelError as error:
            return self._failed("labels", str(error), retryable=False)
        return response if self._attempts == 1 else msgspec.structs.replace(response, attempts=self._attempts)

    async def _attempt(self) -> Response:
        watch = self._watch
        await watch.pause()
        if watch.dead:
            raise self._last_fault or watch.epitaph()
        self._attempts += 1
        try:
            response = await self._ask()
        except AttemptFault as fault:
            watch.fault(self._request.key, fault)
            self._last_fault = fault
            raise
        watch.good()
        return response

    async def _ask(self) -> Response:
        body, hold = await self._body()
        try:
            started = time.perf_counter()
            reply = await self._asking.transport.post(CHAT, body)
        finally:
            hold.release()
        try:
            return self._read(reply, time.perf_counter() - started)
        except (AttemptFault, UsageError):
            raise
        except Exception as error:
            # A reply can hold anything. What reading it doesn't expect is the failure of one question.
            raise bad_response(f"the reply can't be read ({type(error).__name__}: {error})") from error

    async def _body(self) -> tuple[JsonBody, Hold]:
        """The body, and its hold on the budget; nothing else keeps its frames while the server thinks."""
        end = self._asking.bodies.end(self._request)
        beginning = self._beginnings.of(self._request)
        hold = await self._budget.take(beginning.file_bytes)
        try:
            return JsonBody([*await beginning.pieces(), end], hold.release), hold
        except BaseException:
            hold.release()
            raise

    def _read(self, reply: HttpReply, seconds: float) -> Response:
        if reply.status != 200:
            raise status_fault(reply.status, reply.headers, reply.data)
        content = decode_reply(reply.data)
        self._asking.note(reply, content)
        response = read_answer(self._request, content, seconds=seconds)
        self._asking.habits.answered(self._request, response, content.logprobs)
        return response

    def _failed(self, kind: str, message: str, *, retryable: bool) -> Response:
        if self._attempts > 1:
            message = f"{message} (the last of {self._attempts} attempts)"
        message = self._asking.transport.key.hide(message)[:_LONGEST_MESSAGE]
        failure = Failure(kind=kind, message=message, retryable=retryable)
        return Response(key=self._request.key, failure=failure, attempts=self._attempts)
