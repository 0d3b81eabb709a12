"""The `openai:` adapter: asks a model behind an OpenAI-compatible chat endpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from egocross_eval.contracts.model import Capabilities, ModelAdapter
from egocross_eval.documents import decode_json
from egocross_eval.errors import DataError, RunError, UsageError
from egocross_eval.model_adapters.openai.address import base_url, is_openai, key_for
from egocross_eval.model_adapters.openai.body import BodyWriter
from egocross_eval.model_adapters.openai.faults import TOKENS_FIELDS, AttemptFault, status_fault
from egocross_eval.model_adapters.openai.habits import Habits
from egocross_eval.model_adapters.openai.limits import MB, limits_of
from egocross_eval.model_adapters.openai.options import OpenAIOptions
from egocross_eval.model_adapters.openai.reply_body import Reply
from egocross_eval.schema import Request, Response

if TYPE_CHECKING:
    from egocross_eval.model_adapters.openai.transport import HttpReply, Transport
    from egocross_eval.model_adapters.openai.vllm_fields import VllmFields

_LONGEST_SEEN = 200
_MOST_SEEN = 20
"""Names kept of each kind for `details`: a proxy may make up a new one for every reply."""


class _Model(msgspec.Struct, frozen=True):
    id: str


class _Models(msgspec.Struct, frozen=True):
    data: list[_Model] = []


def build(target: str, options: OpenAIOptions) -> OpenAIAdapter:
    """The adapter for the model called `target` by its server; an empty target means the only model there.

    Checks the options and connects to nothing. Raises `UsageError`.
    """
    return OpenAIAdapter(target, options)


class OpenAIAdapter(ModelAdapter):
    """Asks a chat endpoint, many requests at once, each retried after passing faults.

    Every request ends as one response. Failures have these kinds: `http_<status>`, `connection`, `timeout`,
    `bad_response` (no JSON, no choices, no content), `server_error` (a failure within a 200 reply), `context_length`,
    `filtered` (by a content filter), `answer_in_reasoning`, `no_label_scores` and `not_finite` (choose mode), `labels`,
    `frame`, `unsupported`, and `server_dead` for what was no longer sent.
    """

    scaled_by_server = False
    """True for a server that was started with the run's pixel budget."""

    def __init__(self, target: str, options: OpenAIOptions) -> None:
        self._url = base_url(options.base_url)
        self._options = options
        self._model = target
        tokens_field = options.tokens_field or TOKENS_FIELDS[is_openai(self._url)]
        self._vllm = self._vllm_fields() if options.vllm or options.media == "file" else None
        self._bodies = BodyWriter(options, tokens_field=tokens_field, vllm=self._vllm)
        self._habits = Habits()
        self._models_seen: set[str] = set()
        self._servers_seen: set[str] = set()
        self._versions_seen: set[str] = set()
        self._tokens_field = tokens_field

    def capabilities(self) -> Capabilities:
        """Images and scores; the rest where the server is vLLM."""
        options, known = self._options, limits_of(self._url)
        vllm = self._vllm is not None
        sent = options.media == "base64"
        return Capabilities(
            images=True,
            video=options.video or vllm,
            scores=True,
            constrained=vllm,
            max_images=options.max_images or known.images,
            max_body=(round(options.max_body * MB) if options.max_body else known.body) if sent else None,
            jpeg=options.jpeg,
        )

    def fingerprint(self) -> str:
        """Hash of the address, the model's name and the options that shape requests.

        A server's weights can't be seen from outside: a server that is restarted with other weights under the same name
        needs the response cache turned off. Asks the server for its model where the spec names none.
        """
        options = self._options
        identity = {
            "base_url": self._url,
            "model": self.model_name(),
            "extra": options.extra,
            "drop": options.drop,
            "tokens_field": self._tokens_field,
            "logprobs": options.logprobs,
        }
        identity |= {name: value for name in ("detail", "jpeg") if (value := getattr(options, name))}
        if self._vllm is not None:
            identity |= {"vllm": True, "media": options.media}
        return "openai-" + hashlib.sha256(msgspec.json.encode(identity)).hexdigest()[:32]

    def details(self) -> dict[str, Any]:
        """The address, and what replies said of the server so far."""
        seen = {
            "replied_as": sorted(self._models_seen),
            "server": sorted(self._servers_seen),
            "system_fingerprints": sorted(self._versions_seen),
        }
        return {"base_url": self._url, "model": self._model} | {name: values for name, values in seen.items() if values}

    def model_name(self) -> str:
        """The model's name as the server knows it; asks `/models` once where the spec names none.

        Raises `UsageError` where the server has several models or none, and `RunError` where it doesn't reply.
        """
        if not self._model:
            from egocross_eval.model_adapters.streams.loops import run_to_end

            self._model = run_to_end(self._only_model)
        return self._model

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        """One response for each request, as they finish; at most `concurrency` requests are drawn ahead."""
        from egocross_eval.model_adapters.openai.asking import Asking, opened
        from egocross_eval.model_adapters.streams.stream import opened_stream

        if self._vllm is not None:
            requests = self._vllm.prepared(requests)
        asking = Asking(
            transport=self._transport(),
            bodies=self._bodies,
            options=self._options,
            model=self.model_name(),
            note=self._note,
            habits=self._habits,
        )
        return opened_stream(requests, partial(opened, asking), bound=self._options.concurrency)

    def _transport(self, url: str = "") -> Transport:
        from egocross_eval.model_adapters.openai.transport import Transport

        options = self._options
        key = key_for(self._url, options.api_key_env)
        return Transport(url or self._url, key, timeout=options.timeout, connections=options.concurrency)

    def _vllm_fields(self) -> VllmFields:
        from egocross_eval.model_adapters.openai.vllm_fields import ServerTokenizer, VllmFields

        def tokenizer() -> ServerTokenizer:
            # vLLM's own routes lie beside `/v1`.
            return ServerTokenizer(self._transport(self._url.removesuffix("/v1")), self.model_name())

        files = self._options.media == "file"
        return VllmFields(files=files, names_budget=files and not self.scaled_by_server, tokenizer=tokenizer)

    async def _only_model(self) -> str:
        from egocross_eval.model_adapters.openai.transport import MODELS

        transport = self._transport()
        try:
            async with transport:
                reply = await transport.get(MODELS)
                if reply.status != 200:
                    raise status_fault(reply.status, reply.headers, reply.data)
        except AttemptFault as fault:
            raise RunError(
                f"openai: asking {self._url}{MODELS} for the model's name failed: {transport.key.hide(fault.message)}; "
                f"name the model in the spec: openai:MODEL"
            ) from fault
        names = [name[:_LONGEST_SEEN] for name in _model_names(reply.data)]
        if len(names) != 1:
            listed = ", ".join(names[:20]) or "none"
            raise UsageError(f"openai: name the model in the spec, openai:MODEL; {self._url} serves: {listed}")
        return names[0]

    def _note(self, reply: HttpReply, content: Reply) -> None:
        """Remembers what a reply said of the server, for `details`."""
        for value, seen in (
            (content.model, self._models_seen),
            (content.system_fingerprint, self._versions_seen),
            (reply.headers.get("Server"), self._servers_seen),
        ):
            if isinstance(value, str) and value and len(seen) < _MOST_SEEN:
                seen.add(value[:_LONGEST_SEEN])


def _model_names(data: bytes) -> list[str]:
    try:
        listing = decode_json(data, _Models, "the server's list of models")
    except DataError as error:
        raise RunError(f"openai: {error}; name the model: openai:MODEL") from error
    return [model.id for model in listing.data]
