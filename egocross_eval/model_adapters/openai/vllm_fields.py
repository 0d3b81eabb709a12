"""What a vLLM server understands beyond the protocol: fields of the body, and its tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from egocross_eval.documents import decode_json
from egocross_eval.errors import DataError, RunError
from egocross_eval.model_adapters.checkpoints.chat import refuse_open_thinking
from egocross_eval.model_adapters.checkpoints.label_tokens import LabelError, label_tokens
from egocross_eval.model_adapters.openai.faults import AttemptFault, status_fault
from egocross_eval.model_adapters.requests import choices
from egocross_eval.schema import Request

if TYPE_CHECKING:
    from egocross_eval.model_adapters.openai.transport import Transport

T = TypeVar("T")


class _Tokens(msgspec.Struct, frozen=True):
    tokens: list[int]


class _Text(msgspec.Struct, frozen=True):
    prompt: str


class VllmFields:
    """Body fields by which a request uses what vLLM's server offers.

    In choose mode the log-probabilities of exactly the labels' tokens are asked for, over the whole vocabulary,
    however unlikely they are; in constrained mode decoding is restricted to the labels. `files`: frames are read by
    the server, which scales them to the pixel budget; `names_budget`: it's told the budget by every request.
    """

    def __init__(self, *, files: bool, names_budget: bool, tokenizer: Callable[[], ServerTokenizer]) -> None:
        self.files = files
        self._names_budget = names_budget
        self._tokenizer = tokenizer
        self._tokens: dict[tuple[str, ...], list[int] | LabelError] = {}

    def prepared(self, requests: Iterator[Request]) -> Iterator[Request]:
        """The same requests; in choose mode the server is asked for the tokens of labels before they are needed."""
        for request in requests:
            labels = choices(request)
            if request.settings.answer_mode == "choose" and labels not in self._tokens:
                try:
                    self._tokens[labels] = self._tokenizer().label_tokens(labels)
                except LabelError as error:
                    self._tokens[labels] = error
            yield request

    def fields(self, request: Request) -> dict[str, Any]:
        """The fields for a request that came through `prepared`.

        Raises LabelError where its labels can't be told apart by one token, or there's nothing to choose among.
        """
        fields: dict[str, Any] = {}
        labels = choices(request)
        mode = request.settings.answer_mode
        if mode != "generate" and not labels:
            raise LabelError("the question has no options to choose among; use --answer generate")
        if mode == "choose":
            tokens = self._tokens[labels]
            if isinstance(tokens, LabelError):
                raise tokens
            # Allowing these tokens alone keeps any other that would be drawn out of the reply; log-probabilities are
            # taken before that (vLLM's `raw_logprobs`).
            fields |= {"logprob_token_ids": tokens, "allowed_token_ids": tokens}
        elif mode == "constrained":
            # With log-probabilities a model that computes NaN is found; without them vLLM takes the first letter.
            fields |= {"structured_outputs": {"choice": list(labels)}, "logprobs": True}
        if self._names_budget and request.prompt.max_pixels is not None:
            fields["mm_processor_kwargs"] = {"max_pixels": request.prompt.max_pixels}
        return fields


class ServerTokenizer:
    """The tokenizer and chat template of a vLLM server, by its `/tokenize` and `/detokenize`."""

    def __init__(self, transport: Transport, model: str) -> None:
        self._transport = transport
        self._model = model

    def label_tokens(self, labels: tuple[str, ...]) -> list[int]:
        """Ids of the tokens by which an answer can be one of the labels.

        Raises LabelError where a label has no token of its own, UsageError where the chat template opens a thinking
        block, and RunError where the server doesn't tell.
        """
        conversation = [{"role": "user", "content": "?"}]
        rendered = self._ask("/tokenize", {"messages": conversation, "add_generation_prompt": True}, _Tokens)
        text = self._ask("/detokenize", {"tokens": rendered.tokens}, _Text).prompt
        refuse_open_thinking(text)
        found = label_tokens(self._tokenized, text, labels)
        return [token for group in found.values() for token in group]

    def _tokenized(self, text: str, *, add_special_tokens: bool) -> dict[str, list[int]]:
        asked = {"prompt": text, "add_special_tokens": add_special_tokens}
        return {"input_ids": self._ask("/tokenize", asked, _Tokens).tokens}

    def _ask(self, path: str, body: dict[str, Any], kind: type[T]) -> T:
        from egocross_eval.model_adapters.openai.pieces import JsonBody
        from egocross_eval.model_adapters.streams.loops import run_to_end

        content = msgspec.json.encode({"model": self._model, **body})

        async def exchange() -> T:
            async with self._transport:
                reply = await self._transport.post(path, JsonBody([content], lambda: None))
                if reply.status != 200:
                    raise status_fault(reply.status, reply.headers, reply.data)
                return decode_json(reply.data, kind, "its reply")

        try:
            return run_to_end(exchange)
        except (AttemptFault, DataError) as error:
            said = error.message if isinstance(error, AttemptFault) else str(error)
            raise RunError(
                f"openai: the server's {path} doesn't tell the labels' tokens ({self._transport.key.hide(said)}); "
                f"is it a vLLM server? Without vllm=true and media=file any server is asked"
            ) from error
