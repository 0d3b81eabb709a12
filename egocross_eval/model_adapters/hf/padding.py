"""Which prompts may fill each other up: padding needs a mask, and a mask keeps PyTorch from its fastest attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from egocross_eval.model_adapters.hf.prompt_groups import Group

LONG = 1024
"""From so many tokens on, a prompt alone keeps a GPU busy: a batch spares nothing that a mask doesn't cost."""


def masks_cost(model: Any) -> bool:
    """Whether a mask makes this model slower: PyTorch's own attention (`sdpa`) on a GPU has no flash kernel for one."""
    return bool(model.device.type == "cuda" and model.config._attn_implementation == "sdpa")


def equal_length(group: Group) -> int | None:
    """The length that prompts must share to be read in one batch without padding; None where padding does no harm.

    None for short prompts, and where text is generated: each of its steps reads all weights, which a batch shares.
    """
    if group.items[0].request.settings.answer_mode == "generate":
        return None
    length = group.beginning if group.shared else group.tokens
    return length if length >= LONG else None
