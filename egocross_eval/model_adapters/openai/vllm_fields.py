"""What a vLLM server understands beyond the protocol: fields of the body, and its tokenizer."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from egocross_eval.errors import RunError
from egocross_eval.model_adapters.hf.chat import letter_tokens, refuse_open_thinking
from egocross_eval.model_adapters.openai.faults import AttemptFault, status_fault
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

    In choose mode the log-probabilities of exactly the letters' tokens are asked for, over the whole vocabulary,
    however unlikely they are; in constrained mode decoding is restricted to the letters. `files`: frames are read by
    the server, which scales them to the pixel budget; `names_budget`: it's told the budget by every request.
    """

    def __init__(self, *, files: bool, names_budget: bool, tokenizer: Callable[[], ServerTokenizer]) -> None:
        self.files = files
        self._names_budget = names_budget
        self._tokenizer = tokenizer
        self._letters: dict[tuple[str, ...], list[int]] = {}

    def prepared(self, requests: Iterator[Request]) -> Iterator[Request]:
        """The same requests; in choose mode the server is asked for the letters' tokens first, before any is sent."""
        first = next(requests, None)
        if first is None:
            return iter(())
        self.fields(first)
        return itertools.chain([first], requests)

    def fields(self, request: Request) -> dict[str, Any]:
        """The fields for a request."""
        fields: dict[str, Any] = {}
        letters = tuple(request.options)
        if request.settings.answer_mode == "choose":
            if letters not in self._letters:
                self._letters[letters] = self._tokenizer().letter_tokens(letters)
            # Allowing these tokens alone keeps any other that would be drawn out of the reply; log-probabilities are
            # taken before that (vLLM's `raw_logprobs`).
            tokens = self._letters[letters]
            fields |= {"logprob_token_ids": tokens, "allowed_token_ids": tokens}
        elif request.settings.answer_mode == "constrained":
            fields["structured_outputs"] = {"choice": list(letters)}
        if self._names_budget and request.prompt.max_pixels is not None:
            fields["mm_processor_kwargs"] = {"max_pixels": request.prompt.max_pixels}
        return fields


class ServerTokenizer:
    """The tokenizer and chat template of a vLLM server, by its `/tokenize` and `/detokenize`."""

    def __init__(self, transport: Transport, model: str) -> None:
        self._transport = transport
        self._model = model

    def letter_tokens(self, letters: tuple[str, ...]) -> list[int]:
        """Ids of the tokens by which an answer can begin with one of the letters.

        Raises UsageError where a letter has no token of its own or the chat template opens a thinking block, and
        RunError where the server doesn't tell.
        """
        conversation = [{"role": "user", "content": "?"}]
        rendered = self._ask("/tokenize", {"messages": conversation, "add_generation_prompt": True}, _Tokens)
        text = self._ask("/detokenize", {"tokens": rendered.tokens}, _Text).prompt
        refuse_open_thinking(text)
        found = letter_tokens(self._tokenized, text, letters)
        return [token for group in found.values() for token in group]

    def _tokenized(self, text: str, *, add_special_tokens: bool) -> dict[str, list[int]]:
        asked = {"prompt": text, "add_special_tokens": add_special_tokens}
        return {"input_ids": self._ask("/tokenize", asked, _Tokens).tokens}

    def _ask(self, path: str, body: dict[str, Any], kind: type[T]) -> T:
        from egocross_eval.model_adapters.openai.pump import run_to_end
        from egocross_eval.model_adapters.openai.transport import JsonBody

        content = msgspec.json.encode({"model": self._model, **body})

        async def exchange() -> T:
            async with self._transport:
                reply = await self._transport.post(path, JsonBody([content], lambda: None))
                if reply.status != 200:
                    raise status_fault(reply.status, reply.headers, reply.data)
                return msgspec.json.decode(reply.data, type=kind)

        try:
            return run_to_end(exchange)
        except (AttemptFault, msgspec.MsgspecError) as error:
            said = error.message if isinstance(error, AttemptFault) else str(error)
            raise RunError(
                f"openai: the server's {path} doesn't tell the letters' tokens ({self._transport.key.hide(said)}); "
                f"is it a vLLM server? Without vllm=true and media=file any server is asked"
            ) from error
