"""Any of our model adapters as a model of lmms-eval's; imported by lmms-eval only."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import msgspec
from lmms_eval.api.instance import GenerationResult, TokenCounts
from lmms_eval.api.model import lmms

from egocross_eval.contracts.registry import registry
from egocross_eval.errors import UsageError
from egocross_eval.interop.lmms_eval.inner_requests import Pictures, request_of, until
from egocross_eval.model_adapters.spec import ModelSpec, adapter_type, build_adapter, parse_spec
from egocross_eval.schema import Response

_FAILED = "[LMMS_EVAL_REQUEST_FAILED]"
"""How lmms-eval's classes begin what stands in the place of an answer that failed."""


class EgoCrossModel(lmms):  # type: ignore[misc]
    """A model spec behind lmms-eval's interface.

    `--model_args spec=hf:./checkpoint,dtype=bfloat16`: what follows the spec are its options.
    """

    is_simple = False

    def __init__(
        self,
        spec: str = "",
        batch_size: object = None,
        max_batch_size: object = None,
        device: object = None,
        **options: Any,
    ) -> None:
        """Checks the spec and its options; the engine starts with the first request.

        A device goes to engines that take one. Sizes of batches are the engine's own business.
        """
        super().__init__()
        if not spec:
            raise UsageError("--model egocross needs --model_args spec=SCHEME:TARGET, e.g. spec=hf:./checkpoint")
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            raise UsageError(
                "--model egocross runs in one process; use the engine's own parallelism, e.g. spec=vllm:..."
            )
        text = ",".join([spec, *(f"{key}={_plain(value)}" for key, value in options.items())])
        self._adapter = build_adapter(_on_device(parse_spec(text), device), registry())
        self._pictures = Pictures()

    def generate_until(self, requests: Sequence[Any]) -> list[Any]:
        """An answer for each request, in their order; those that fail have lmms-eval's failure text."""
        asked = [request_of(number, request, self.task_dict, self._pictures) for number, request in enumerate(requests)]
        responses = {response.key: response for response in self._adapter.generate(iter(asked))}
        return [_result(responses.get(one.key), until(request)) for one, request in zip(asked, requests, strict=True)]

    def loglikelihood(self, requests: Sequence[Any]) -> list[tuple[float, bool]]:
        """Not offered: our adapters compare labels, not texts."""
        raise NotImplementedError("egocross-eval's adapters give no log-likelihood of texts")

    def generate_until_multi_round(self, requests: Sequence[Any]) -> list[str]:
        """Not offered."""
        raise NotImplementedError("egocross-eval's adapters answer in one round")

    def clean(self) -> None:
        """Frees the engine."""
        self._adapter.close()
        self._pictures.close()
        super().clean()


def _on_device(spec: ModelSpec, device: object) -> ModelSpec:
    """The spec with lmms-eval's `--device`, where its adapter takes one."""
    options = adapter_type(spec, registry()).options
    if not device or options is None or "device" not in options.__struct_fields__:
        return spec
    return msgspec.structs.replace(spec, options={**spec.options, "device": str(device)})


def _plain(value: object) -> str:
    """An argument as it was typed: lmms-eval has made numbers and truth values of some."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _result(response: Response | None, stops: Sequence[str]) -> Any:
    if response is None:
        return GenerationResult(text=f"{_FAILED} the adapter ended without an answer", token_counts=TokenCounts())
    counts = TokenCounts(input_tokens=response.input_tokens, output_tokens=response.output_tokens)
    if response.failure is not None:
        text = f"{_FAILED} {response.failure.kind}: {response.failure.message}"
        return GenerationResult(text=text, token_counts=counts)
    text = response.text or ""
    for stop in stops:
        text = text.partition(stop)[0]
    return GenerationResult(text=text, token_counts=counts)
