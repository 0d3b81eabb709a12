"""The response within an output of the engine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from egocross_eval.model_adapters.requests import failed, not_finite, scored
from egocross_eval.schema import Response

if TYPE_CHECKING:
    from egocross_eval.model_adapters.checkpoints.preparation import Item

LEAST = -9999.0
"""Log-probability in place of minus infinity, which JSON doesn't have; what vLLM's own server sends."""


def response(item: Item, output: Any, *, dtype: str, input_tokens: int, seconds: float) -> Response:
    """The response within a finished `vllm.RequestOutput`."""
    answer = output.outputs[0]
    cost: dict[str, Any] = {
        "input_tokens": input_tokens,
        "reused_tokens": output.num_cached_tokens,
        "output_tokens": len(answer.token_ids),
        "seconds": round(seconds, 4),
    }
    if item.request.settings.answer_mode == "choose":
        scores = {label: _together(answer.logprobs[0], ids) for label, ids in item.labels.items()}
        return scored(item.request, scores, dtype, **cost)
    if item.request.settings.answer_mode == "constrained" and not _finite(answer):
        return failed(item.request, "not_finite", not_finite(dtype))
    return Response(key=item.request.key, text=answer.text, finish_reason=answer.finish_reason, **cost)


def _finite(answer: Any) -> bool:
    """Whether the tokens of an answer had log-probabilities that are numbers; vLLM takes a letter also among NaN."""
    steps = zip(answer.token_ids, answer.logprobs or [], strict=False)
    return not any(math.isnan(float(found[token].logprob)) for token, found in steps if token in found)


def _together(logprobs: Any, ids: tuple[int, ...]) -> float:
    """Log of the summed probabilities of some tokens."""
    values = [max(float(logprobs[token].logprob), LEAST) for token in ids]
    largest = max(values)
    return largest + math.log(sum(math.exp(value - largest) for value in values))
