"""Which implementations of attention compute what a family was trained with."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from egocross_eval.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint

SEES_WHOLE_IMAGES = frozenset(
    {
        "deepseek_ocr2",
        "gemma3",
        "gemma4",
        "gemma4_unified",
        "git",
        "molmo2",
        "paligemma",
        "shieldgemma2",
        "step3p7",
        "unlimited_ocr",
    }
)
"""Model types in which the tokens of an image see each other both ways. Flash attention knows no such mask: it drops it
without a word, and the model reads its images causally."""


def refuse_attention(checkpoint: Checkpoint, attention: str) -> None:
    """Raises UsageError for an implementation that would compute something else than the checkpoint's own attention."""
    kind = checkpoint.config.get("model_type") if "flash" in attention else None
    if kind in SEES_WHOLE_IMAGES:
        raise UsageError(
            f"attn={attention}: {checkpoint.spec} is a {kind} model, whose image tokens see each other both ways; "
            f"flash attention would drop that and give other answers; use attn=sdpa"
        )


@contextmanager
def no_plan_for_each_length() -> Iterator[None]:
    """Keeps PyTorch's own attention from cuDNN, as long as this lasts and in the whole process.

    On cards of the H100's kind and later PyTorch prefers it, and it builds a plan for each new length of a prompt, of
    which hardly two are equal: a fifth of the time (measurements/gpu_pace). PyTorch's flash kernel needs none.
    """
    import torch

    cuda: Any = torch.backends.cuda
    enabled = cuda.cudnn_sdp_enabled()
    cuda.enable_cudnn_sdp(False)
    try:
        yield
    finally:
        cuda.enable_cudnn_sdp(enabled)
