"""How many prompt tokens a server computes in one step: as many as vLLM gives its engine for offline use.

For servers that answer people vLLM has fewer, so that a long prompt holds nobody up: 2,048 on small cards, which are
five frames, and 8,192 on those of 70 GiB.
"""

from __future__ import annotations

from collections.abc import Sequence

from egocross_eval.nvidia import Gpu

LARGE = 70.0
"""GiB of a card that vLLM gives the larger steps (`EngineArgs.get_batch_defaults`)."""

SLOWED_DOWN = ("a100", "gb10")
"""In the names of cards that have the memory, and are slower with them by vLLM's own measurements."""

MANY, FEW = 16384, 8192


def tokens_a_step(gpus: Sequence[Gpu]) -> int | None:
    """By the cards in use, the smallest of them where they differ; None without NVIDIA's, whose vLLM decides itself."""
    if not gpus:
        return None
    large = all(gpu.memory >= LARGE and not any(name in gpu.name.lower() for name in SLOWED_DOWN) for gpu in gpus)
    return MANY if large else FEW
