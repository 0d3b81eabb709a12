"""From what a model computed for a batch to responses: letters' log-probabilities, the letter itself, or text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from egocross_eval.model_adapters.hf.sampling import gumbel_sampler
from egocross_eval.model_adapters.requests import failed, not_finite, scored
from egocross_eval.schema import Response

if TYPE_CHECKING:
    from egocross_eval.model_adapters.checkpoints.preparation import Item


class Computed(msgspec.Struct, frozen=True, kw_only=True):
    """The prompts of a batch that was computed."""

    items: list[Item]
    lengths: list[int]
    """Tokens of each prompt."""
    dtype: str


def chosen(batch: Computed, logits: Any) -> list[Response]:
    """Log-probabilities of the labels; `logits` are those of an answer's first token, shape (prompts, vocabulary)."""
    import torch

    log_probabilities = torch.log_softmax(logits, dim=-1).cpu()
    responses = []
    for row, item, length in zip(log_probabilities, batch.items, batch.lengths, strict=True):
        scores = {label: float(torch.logsumexp(row[list(ids)], dim=0)) for label, ids in item.labels.items()}
        responses.append(scored(item.request, scores, batch.dtype, input_tokens=length, output_tokens=1))
    return responses


def constrained(batch: Computed, logits: Any) -> list[Response]:
    """The label itself as text: the likeliest one, or one drawn at the run's temperature; `logits` as for `chosen`."""
    import torch

    requests = [item.request for item in batch.items]
    allowed = torch.full_like(logits, -torch.inf)
    labels: list[dict[int, str]] = []
    numbers: list[bool] = []
    for place, item in enumerate(batch.items):
        labels.append({ids[0]: label for label, ids in item.labels.items()})
        among = list(labels[-1])
        allowed[place, among] = logits[place, among]
        numbers.append(bool(torch.isfinite(logits[place, among]).all()))
    if requests[0].settings.temperature > 0:
        allowed = gumbel_sampler(requests, logits.device)(None, allowed)
    picks = allowed.argmax(dim=-1).tolist()
    return [
        Response(key=request.key, text=names[pick], finish_reason="stop", input_tokens=length, output_tokens=1)
        if finite
        else failed(request, "not_finite", not_finite(batch.dtype))
        for request, names, pick, length, finite in zip(requests, labels, picks, batch.lengths, numbers, strict=True)
    ]


class Writing(msgspec.Struct, frozen=True, kw_only=True):
    """How tokens become text."""

    tokenizer: Any
    ends: frozenset[int]
    """Ids of the tokens that end an answer."""
    context: int | None
    """Most tokens of a prompt with its answer."""

    def written(self, batch: Computed, rows: list[list[int]], spoiled: list[bool]) -> list[Response]:
        """Texts of the tokens that were generated; `spoiled`: which rows had scores that are no numbers."""
        responses = []
        for row, item, length, bad in zip(rows, batch.items, batch.lengths, spoiled, strict=True):
            if bad:
                responses.append(failed(item.request, "not_finite", not_finite(batch.dtype)))
            else:
                room = item.request.settings.max_new_tokens if self.context is None else self.context - length
                responses.append(self.text_response(item.request.key, row[:room], length))
        return responses

    def text_response(self, key: str, ids: list[int], length: int) -> Response:
        """The text up to the token that ends it, which is counted."""
        end = next((place for place, token in enumerate(ids) if token in self.ends), None)
        kept = ids if end is None else ids[:end]
        return Response(
            key=key,
            text=self.tokenizer.decode(kept, skip_special_tokens=True),
            finish_reason="length" if end is None else "stop",
            input_tokens=length,
            output_tokens=len(kept) + (end is not None),
        )
