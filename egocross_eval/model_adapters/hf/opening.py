"""What the prompts of several batches begin with, such as the examples before the questions of a cell: it's computed
once, and its keys and values are kept until other prompts come."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egocross_eval.model_adapters.checkpoints.preparation import Item, Loaded, Opening


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """An opening that was computed."""

    item: Item
    """A prompt that begins so."""
    opening: Opening
    tokens: int
    cache: Any
    """Its keys and values, of one row."""

    def begins(self, other: Item) -> bool:
        """Whether another prompt begins so, and goes on."""
        size, images = self.opening.size, self.opening.images
        alike = other.ids[:size] == self.item.ids[:size] and other.images[:images] == self.item.images[:images]
        return alike and len(other.ids) > size


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """Prompts of which the opening is computed."""

    arguments: dict[str, Any]
    """What `generate` takes: the whole prompts, the opening's keys and values, and the frames that come after it."""
    spared: int
    """Tokens that needn't be computed."""


class Openings:
    """Goes on from openings with one model. Keeps the last one.

    For prompts of text and single images whose sizes in patches stand beside them (`image_grid_thw`), as models of the
    Qwen-VL kind have them; others are computed whole.
    """

    def __init__(self, model: Any, processor: Any, padding: int) -> None:
        self._model = model
        self._merged = getattr(getattr(processor, "image_processor", None), "merge_size", 1) ** 2
        self._padding = padding
        self._kept: Kept | None = None

    @property
    def tokens(self) -> int:
        """Tokens of what is kept."""
        return self._kept.tokens if self._kept is not None else 0

    def drop(self) -> bool:
        """Frees what is kept; whether there was something."""
        kept, self._kept = self._kept, None
        return kept is not None

    def opened(self, batch: Sequence[Loaded], tensors: Any, settings: Any) -> Opened | None:
        """The prompts of a batch from their opening on; None where they have none in common that can be gone on from.

        `tensors` are on the model's device, padded on the left; `settings` is a generation config that keeps the cache
        and ends after one token.
        """
        items = [one.item for one in batch]
        kept = self._kept if self._kept is not None and all(map(self._kept.begins, items)) else None
        opening = kept.opening if kept is not None else batch[0].opening
        if opening is None or any(0 < one.shared <= opening.size for one in batch):
            return None
        rows = _rows([len(item.images) for item in items], tensors, opening, self._merged)
        if rows is None:
            return None
        if kept is None:
            self.drop()
            cache = self._model.generate(**rows.opening(), generation_config=settings).past_key_values
            kept = Kept(item=items[0], opening=opening, tokens=rows.tokens, cache=cache)
        spared = kept.tokens * (len(batch) - (kept is not self._kept))
        self._kept = kept
        return Opened(arguments=self._arguments(rows, kept.cache), spared=spared)

    def _arguments(self, rows: _Rows, kept: Any) -> dict[str, Any]:
        import torch

        whole = rows.rearranged(self._padding)
        # A model with 2-D positions of frames needs the sizes of all of them for those of the words behind.
        sizes = rows.sizes()
        positions = self._model._prepare_position_ids_for_generation(whole["input_ids"], whole | sizes)
        cache = copy.deepcopy(kept)
        cache.batch_select_indices(torch.zeros(len(whole["input_ids"]), dtype=torch.long))
        return whole | rows.frames_behind() | {"position_ids": positions, "past_key_values": cache}


class _Rows(msgspec.Struct, frozen=True, kw_only=True):
    """The prompts of a batch in tokens, and where their opening ends."""

    tensors: Any
    starts: list[int]
    """Where each prompt begins, behind its padding."""
    tokens: int
    """Length of the opening."""
    images: int
    """Frames in the opening."""
    counts: list[int]
    """Frames of each prompt."""

    def opening(self) -> dict[str, Any]:
        """The opening alone, as a batch of one."""
        row = {
            name: tensor[:1, self.starts[0] : self.starts[0] + self.tokens] for name, tensor in self._by_token().items()
        }
        return row | (self._frames([0] * len(self.counts), [self.images, *[0] * (len(self.counts) - 1)]))

    def rearranged(self, padding: int) -> dict[str, Any]:
        """The whole prompts with their padding between the opening and what follows it."""
        import torch
        from torch.nn.functional import pad

        found = {}
        for name, tensor in self._by_token().items():
            value = padding if name == "input_ids" else 0
            longest = tensor.shape[1] - min(self.starts)
            found[name] = torch.stack(
                [
                    torch.cat(
                        [
                            row[start : start + self.tokens],
                            pad(row[start + self.tokens :], (longest - (len(row) - start), 0), value=value),
                        ]
                    )
                    for row, start in zip(tensor, self.starts, strict=True)
                ]
            )
        return found

    def sizes(self) -> dict[str, Any]:
        """Sizes in patches of all frames."""
        return {"image_grid_thw": self.tensors["image_grid_thw"]} if sum(self.counts) else {}

    def frames_behind(self) -> dict[str, Any]:
        """The frames that come after the opening."""
        return self._frames([self.images] * len(self.counts), self.counts)

    def _by_token(self) -> dict[str, Any]:
        """What there is for each token."""
        shape = self.tensors["input_ids"].shape
        return {name: tensor for name, tensor in self.tensors.items() if getattr(tensor, "shape", None) == shape}

    def _frames(self, begins: list[int], ends: list[int]) -> dict[str, Any]:
        """Of each prompt the frames from one place to another."""
        import torch

        if not sum(ends) - sum(begins):
            return {}
        patches = self.tensors["image_grid_thw"].prod(dim=1).tolist()
        pictures = torch.split(self.tensors["pixel_values"], patches)
        firsts = [sum(self.counts[:place]) for place in range(len(self.counts))]
        chosen = [
            first + place for first, begin, end in zip(firsts, begins, ends, strict=True) for place in range(begin, end)
        ]
        return {
            "pixel_values": torch.cat([pictures[place] for place in chosen]),
            "image_grid_thw": self.tensors["image_grid_thw"][chosen],
        }


def _rows(counts: list[int], tensors: Any, opening: Opening, merged: int) -> _Rows | None:
    """The rows of a batch whose prompts have so many frames; None where the opening isn't found in each of them."""
    if any("video" in name for name in tensors) or ("pixel_values" in tensors) != ("image_grid_thw" in tensors):
        return None
    patches = tensors["image_grid_thw"].prod(dim=1).tolist() if "image_grid_thw" in tensors else []
    if len(patches) != sum(counts):
        return None
    tokens = opening.size + sum(count // merged - 1 for count in patches[: opening.images])
    ids = tensors["input_ids"]
    starts = [ids.shape[1] - int(length) for length in tensors["attention_mask"].sum(dim=1)]
    beginnings = [row[start:][:tokens].tolist() for row, start in zip(ids, starts, strict=True)]
    longer = ids.shape[1] - max(starts) > tokens
    if not longer or any(beginning != beginnings[0] for beginning in beginnings):
        return None
    return _Rows(tensors=tensors, starts=starts, tokens=tokens, images=opening.images, counts=counts)
