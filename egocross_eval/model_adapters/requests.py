"""What all adapters read from a request alike, and the failure that they make of one."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

from egocross_eval.schema import Failure, Response

if TYPE_CHECKING:
    from egocross_eval.schema import Request


def choices(request: Request) -> tuple[str, ...]:
    """Labels to choose among in choose and constrained mode, in order; empty where there's nothing to choose."""
    return request.choices or tuple(request.options)


def request_seed(request: Request) -> int:
    """Seed of a request's own generator: from the run's seed and the content of the request, 63 bits.

    So its answer doesn't depend on its companions.
    """
    name = f"{request.settings.seed}\n{request.content_hash or request.key}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


def scored(request: Request, scores: dict[str, float], dtype: str, **more: Any) -> Response:
    """The response with the log-probabilities of its labels; a failure where one is no finite number."""
    if all(math.isfinite(score) for score in scores.values()):
        return Response(key=request.key, scores=scores, **more)
    return failed(request, "not_finite", not_finite(dtype))


def not_finite(dtype: str) -> str:
    """What to say of a model whose output is no number."""
    return (
        f"the model's log-probabilities are NaN or infinite in {dtype}: its numbers overflow, or its weights are "
        f"spoiled; use dtype=bfloat16 or dtype=float32"
    )


def failed(request: Request, kind: str, message: str) -> Response:
    """The response to a request that can't be answered."""
    return Response(key=request.key, failure=Failure(kind=kind, message=message))
