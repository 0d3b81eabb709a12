"""`vllm-server:PATH_OR_NAME`: answers requests by a `vllm serve` that is started for the run and ended with it."""

from __future__ import annotations

import itertools
import json
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from egocross_eval.contracts.model import Capabilities, ModelAdapter
from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
from egocross_eval.model_adapters.checkpoints.pixel_limits import size_within
from egocross_eval.model_adapters.openai.adapter import OpenAIAdapter
from egocross_eval.model_adapters.openai.address import ApiKey
from egocross_eval.model_adapters.openai.options import OpenAIOptions
from egocross_eval.model_adapters.vllm.engine_options import FALSE, TRUE, flags, refuse_settled
from egocross_eval.model_adapters.vllm.extras import refuse_old, release
from egocross_eval.model_adapters.vllm.media import media_limits
from egocross_eval.model_adapters.vllm.record import Identity
from egocross_eval.model_adapters.vllm.served_lora import (
    check_base,
    check_fits,
    left_out,
    refuse_lora,
    room_for,
    served_lora,
    switches,
)
from egocross_eval.model_adapters.vllm.server.batch_size import tokens_a_step
from egocross_eval.model_adapters.vllm.server.process import Server, serve_command, version_of
from egocross_eval.model_adapters.vllm.server.seen_frames import SeenFrames
from egocross_eval.nvidia import usable_gpus
from egocross_eval.schema import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egocross_eval.model_adapters.openai.transport import Transport
    from egocross_eval.model_adapters.vllm.options import VllmServerOptions
    from egocross_eval.schema import Request, Response

BASE, ADAPTED = "base", "adapted"
"""Names by which the server is asked for the model, and for the model with its adapter."""

ASKS_FOR_TRUST = (0, 31)
"""First release of vLLM that takes a video's times with a request only when told so."""

_UNREAD = ("Failed to fetch media from URL", "Failed to load image")
"""What vLLM says of a frame that it can't read or decode."""

_LEFT_OUT = "LoRA with tower connector is enabled, but the model"
"""What vLLM says where it takes no adapter of a model's vision tower, and goes on."""

_LOST = ("connection", "server_dead", "timeout")
"""Failures after which it's worth a look whether the server still lives."""


def build(target: str, options: VllmServerOptions) -> VllmServerAdapter:
    """The adapter of a `vllm-server:` spec. Checks the arguments only; the server starts with the first request.

    Names and values of vLLM's own options are checked by the server, whose vLLM may be another than this environment's;
    what it says of them is shown. Raises UsageError for a path that leads nowhere, a `lora=` that is no adapter, and an
    interpreter without vLLM, or with one that is too old.
    """
    refuse_settled("vllm-server", options.engine_options)
    checkpoint = Checkpoint(target, options.engine_options.get("revision"), scheme="vllm-server")
    python = str(Path(options.python).expanduser()) if options.python is not None else sys.executable
    version = version_of(python)
    refuse_old(*version, where=python)
    lora = served_lora(options.lora, version, options.engine_options)
    identity = Identity(
        scheme="vllm-server",
        checkpoint=checkpoint,
        lora=lora,
        engine_options=options.engine_options,
        version=version,
    )
    return VllmServerAdapter(python, options, identity)


class VllmServerAdapter(ModelAdapter):
    """One server and the client that asks it.

    Frames are read by the server itself, by `file://` addresses below the one folder that it's allowed to read, and
    scaled there by the checkpoint's processor. Clips that are sent as native videos, and frames under a pixel budget
    for a processor without pixel limits, are scaled here and travel in base64.
    """

    def __init__(self, python: str, options: VllmServerOptions, identity: Identity) -> None:
        self._python = python
        self._options = options
        self._identity = identity
        self._server: Server | None = None
        self._client: OpenAIAdapter | None = None
        self._seen: SeenFrames | None = None

    @cached_property
    def _batched(self) -> int | None:
        """Prompt tokens of a step that the server is told to compute; None where the user says so, or vLLM decides."""
        version = self._identity.version
        on_cpu = version is not None and version[0].endswith("-cpu")
        if on_cpu or "max_num_batched_tokens" in self._identity.engine_options:
            return None
        return tokens_a_step(usable_gpus())

    def capabilities(self) -> Capabilities:
        """Everything, and videos where the checkpoint's processor has a part for them."""
        return Capabilities(images=True, video=self._identity.checkpoint.takes_video, scores=True, constrained=True)

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        """One response for each request, as they finish.

        Failures: `frame` (the server can't decode a frame), `context_length` (with the numbers), and those of the
        `openai:` adapter. Raises RunError with the end of the server's log where it doesn't start or dies.
        """
        first = next(requests, None)
        if first is None:
            return
        client, server, seen = self._started(first)
        responses = client.generate(seen.looked_at(itertools.chain([first], requests)))
        try:
            for response in responses:
                if response.failure is not None and response.failure.kind in _LOST:
                    server.check()
                seen.heard(response)
                yield _with_frame_failure(response)
        finally:
            close = getattr(responses, "close", None)
            if close is not None:
                close()

    def _started(self, first: Request) -> tuple[OpenAIAdapter, Server, SeenFrames]:
        """The client and its server, started for the kind of media that the first request shows."""
        if self._client is None or self._server is None or self._seen is None:
            check_base(self._identity.checkpoint, self._identity.engine_options)
            check_fits(self._identity.lora, self._identity.checkpoint, self._identity.engine_options)
            size = None
            if first.prompt.max_pixels is not None:
                size = size_within(self._identity.checkpoint, first.prompt.max_pixels)
            files = first.prompt.max_pixels is None or size is not None
            distribution = self._identity.version[0] if self._identity.version else "vllm"
            command = [*serve_command(self._python, distribution), *self._arguments(first, size)]
            self._server = Server(command, log=self._options.log)
            self._seen = SeenFrames(self._identity.checkpoint, self._identity.engine_options)
            self._server.wait(self._options.start_timeout)
            self._check_adapter(self._server)
            self._client = _Client(self._server, self._identity, self._options, files=files)
        return self._client, self._server, self._seen

    def _arguments(self, first: Request, size: dict[str, int] | None) -> list[str]:
        identity = self._identity
        given = identity.engine_options
        limits = media_limits(first.prompt)
        arguments = [identity.checkpoint.source, "--served-model-name", BASE]
        defaults: dict[str, list[str]] = {
            "max_model_len": ["--max-model-len", "-1"],
            "limit_mm_per_prompt": ["--limit-mm-per-prompt", json.dumps(limits)],
            "allowed_local_media_path": self._media_arguments(first),
            # As the other adapters have it: the run's settings alone decide how answers are drawn, and messages reach
            # the chat template as lists of parts.
            "generation_config": ["--generation-config", "vllm"],
            "chat_template_content_format": ["--chat-template-content-format", "openai"],
        }
        if self._batched is not None:
            defaults["max_num_batched_tokens"] = ["--max-num-batched-tokens", str(self._batched)]
        if size is not None:
            defaults["mm_processor_kwargs"] = ["--mm-processor-kwargs", json.dumps({"images_kwargs": {"size": size}})]
        if limits["video"] and release(identity.version[1] if identity.version else "") >= ASKS_FOR_TRUST:
            # A video's times are fields of its request, and nobody but this process asks.
            defaults["trust_request_mm_kwargs"] = ["--trust-request-mm-kwargs"]
        if identity.lora is not None:
            modules = json.dumps({"name": ADAPTED, "path": str(identity.lora.folder)})
            arguments += ["--lora-modules", modules]
            defaults |= {name: [f"--{name.replace('_', '-')}"] for name in switches(identity.lora)}
            defaults["max_lora_rank"] = ["--max-lora-rank", str(room_for(identity.lora))]
        for name, words in defaults.items():
            if name not in given:
                arguments += words
        for name, value in given.items():
            switch = value.lower() in (TRUE[0], FALSE[0])
            arguments += flags(name, value, switch=switch, scheme="vllm-server")
        return arguments

    def _check_adapter(self, server: Server) -> None:
        """Raises UsageError, and ends the server, where it says that it leaves out a part of the adapter."""
        lora = self._identity.lora
        if lora is not None and lora.sees and server.said(_LEFT_OUT):
            self.close()
            refuse_lora(lora, [left_out("this architecture")])

    def _media_arguments(self, first: Request) -> list[str]:
        root = self._options.media_root or first.data_root
        return ["--allowed-local-media-path", root] if root else []

    def fingerprint(self) -> str | None:
        """Hash of the weights, the adapter, the options and the version of the server's vLLM."""
        return self._identity.fingerprint()

    def details(self) -> dict[str, Any]:
        """Architecture, number of parameters, options and versions; once it has seen frames, what it sees of one."""
        details = self._identity.details() | (self._seen.details() if self._seen is not None else {})
        if self._server is not None and self._batched is not None:
            details["max_num_batched_tokens"] = self._batched
        return details if self._options.python is None else {**details, "python": self._python}

    def close(self) -> None:
        """Ends the server."""
        server, self._server, self._client, self._seen = self._server, None, None, None
        if server is not None:
            server.close()


class _Client(OpenAIAdapter):
    """The client of a server that was started here: by the key of the run, with little patience once it's gone."""

    scaled_by_server = True

    def __init__(self, server: Server, identity: Identity, options: VllmServerOptions, *, files: bool) -> None:
        self._key = server.key
        super().__init__(
            ADAPTED if identity.lora is not None else BASE,
            OpenAIOptions(
                base_url=f"{server.url}/v1",
                concurrency=options.concurrency,
                timeout=options.timeout,
                patience=10.0,
                vllm=True,
                media="file" if files else "base64",
            ),
        )

    def _transport(self, url: str = "") -> Transport:
        from egocross_eval.model_adapters.openai.transport import Transport

        options = self._options
        return Transport(url or self._url, ApiKey(self._key), timeout=options.timeout, connections=options.concurrency)


def _with_frame_failure(response: Response) -> Response:
    """The response, with the kind `frame` where the server couldn't read one."""
    failure = response.failure
    if failure is None or not any(said in failure.message for said in _UNREAD):
        return response
    message = f"the server can't read or decode a frame: {failure.message}"
    return msgspec.structs.replace(response, failure=Failure(kind="frame", message=message))
