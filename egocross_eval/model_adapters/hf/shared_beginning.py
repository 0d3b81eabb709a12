"""Splits prompts that begin alike into their beginning, computed once, and what follows it in each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from egocross_eval.model_adapters.checkpoints.preparation import Loaded


class Continuation(msgspec.Struct, frozen=True, kw_only=True):
    """What follows the beginnings of a batch, for all its prompts; rows are padded on the left."""

    ids: Any
    """Token ids of shape (prompts, longest end)."""
    mask: Any
    """1 for tokens and 0 for padding, of the same shape."""
    rows: Any
    """The beginning that each prompt continues: shape (prompts,)."""
    reused: int
    """Tokens that needn't be computed, as another prompt of the batch begins with them too."""


def split(batch: list[Loaded], tensors: Any, padding: int) -> tuple[Continuation, list[int]] | None:
    """Cuts `tensors`, which the processor made of each group's first prompt, to the common beginnings, in place.

    Returns what continues them and the length of every prompt in tokens; None where the first prompts don't end in the
    tokens that their texts have there (a processor that rewrites more than placeholders), so that they can't be cut.
    """
    import torch
    from torch.nn.functional import pad

    ids, lengths = tensors["input_ids"], tensors["attention_mask"].sum(dim=1).tolist()
    cuts = [len(one.item.ids) - one.shared for one in batch]
    for row, one, cut in zip(ids, batch, cuts, strict=True):
        if row[-cut:].tolist() != list(one.item.ids[one.shared :]):
            return None
    beginnings = [int(length) - cut for length, cut in zip(lengths, cuts, strict=True)]
    width = max(beginnings)
    shape, room = ids.shape, max(cuts)
    for name, tensor in tensors.items():
        if isinstance(tensor, torch.Tensor) and tensor.shape == shape:
            # Rows end at the right: each loses its own end, and padding stands in on the left.
            wide = pad(tensor, (room, 0), value=padding if name == "input_ids" else 0)
            ends = [wide.shape[1] - cut for cut in cuts]
            tensors[name] = torch.stack([row[end - width : end] for row, end in zip(wide, ends, strict=True)])
    tails = [torch.tensor(item.ids[one.shared :]) for one in batch for item in one.items]
    longest = max(len(tail) for tail in tails)
    rows = [place for place, one in enumerate(batch) for _ in one.items]
    continuation = Continuation(
        ids=torch.stack([pad(tail, (longest - len(tail), 0), value=padding) for tail in tails]),
        mask=torch.stack([pad(torch.ones_like(tail), (longest - len(tail), 0)) for tail in tails]),
        rows=torch.tensor(rows),
        reused=sum(length * len(one.others) for length, one in zip(beginnings, batch, strict=True)),
    )
    return continuation, [beginnings[row] + len(tail) for row, tail in zip(rows, tails, strict=True)]


def continued(model: Any, beginnings: Any, continuation: Continuation, settings: Any) -> dict[str, Any]:
    """Computes the beginnings once; returns what `generate` takes to go on from their keys and values.

    `settings` is a generation config that keeps the cache and ends after one token.
    """
    import torch

    cache = model.generate(**beginnings, generation_config=settings).past_key_values
    # On the CPU: indices there select from tensors on any device, and a spread model's caches lie on several.
    cache.batch_select_indices(continuation.rows)
    rows = continuation.rows.to(model.device)
    core: Any = getattr(model, "model", None)
    if getattr(core, "rope_deltas", None) is not None:
        # How far positions lag behind the number of tokens, for each beginning: models with 2-D positions of frames.
        core.rope_deltas = core.rope_deltas[rows]
    joined = {
        name: torch.cat([beginnings[name][rows], end.to(model.device)], dim=1)
        for name, end in (("input_ids", continuation.ids), ("attention_mask", continuation.mask))
    }
    return {**joined, "past_key_values": cache}
