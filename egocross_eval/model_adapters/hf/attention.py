"""Which implementations of attention compute what a family was trained with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egocross_eval.errors import UsageError

if TYPE_CHECKING:
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
