"""Sampling that doesn't depend on a request's companions: each row of a batch draws from a generator of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egocross_eval.model_adapters.requests import request_seed

if TYPE_CHECKING:
    from egocross_eval.schema import Request


def nan_watch(rows: int, device: Any) -> Any:
    """A logits processor that changes nothing; its `found`, shape (rows,), says which rows ever had a NaN."""
    import torch
    from transformers import LogitsProcessor

    class NanWatch(LogitsProcessor):  # type: ignore[misc]
        """Notes NaN without waiting for the device."""

        def __init__(self) -> None:
            self.found = torch.zeros(rows, dtype=torch.bool, device=device)

        def __call__(self, input_ids: Any, scores: Any) -> Any:
            self.found |= torch.isnan(scores).any(dim=-1)
            return scores

    return NanWatch()


def gumbel_sampler(requests: list[Request], device: Any) -> Any:
    """A logits processor that turns greedy decoding into sampling at the requests' temperature and top-p.

    Adding Gumbel noise to log-probabilities and taking the largest draws exactly from their distribution (Gumbel, 1954;
    the "Gumbel-max trick"). All requests must have the same temperature and top-p. Noise is drawn on `device`: the same
    seed repeats itself on the same kind of device.
    """
    import torch
    from transformers import LogitsProcessor, TemperatureLogitsWarper, TopPLogitsWarper

    settings = requests[0].settings
    warpers: list[Any] = [TemperatureLogitsWarper(float(settings.temperature))]
    if settings.top_p < 1.0:
        warpers.append(TopPLogitsWarper(float(settings.top_p)))
    generators = [torch.Generator(device=device).manual_seed(request_seed(request)) for request in requests]

    class GumbelNoise(LogitsProcessor):  # type: ignore[misc]
        """Adds each row's own noise to its warped logits."""

        def __call__(self, input_ids: Any, scores: Any) -> Any:
            scores = scores.float()
            for warp in warpers:
                scores = warp(input_ids, scores)
            noise = torch.stack([_exponential(scores.shape[-1], generator) for generator in generators])
            return scores - noise.log()

    def _exponential(count: int, generator: Any) -> Any:
        return torch.empty(count, device=device).exponential_(generator=generator)

    return GumbelNoise()
