"""What the prompts of several batches begin with, such as the examples before the questions of a cell: it's computed
once, and its keys and values are kept until other prompts come."""

from __future__ import annotations

import copy
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from egocross_eval.model_adapters.checkpoints.preparation import Item, Loaded, Opening


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """An opening that was computed."""

    item: Item
    """A prompt that begins so."""
    opening: Opening
    ids: list[int]
    """Its tokens as the processor has them."""
    rows: int
    """Rows of `pixel_values` that its frames take up."""
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

    For prompts of text and single images of which each token takes up as many rows of `pixel_values`; others are
    computed whole.
    """

    def __init__(self, model: Any, processor: Any, padding: int) -> None:
        self._model = model
        self._mark: str = getattr(processor, "image_token", "")
        self._image: int = getattr(processor, "image_token_id", -1)
        self._padding = padding
        self._kept: Kept | None = None

    @property
    def tokens(self) -> int:
        """Tokens of what is kept."""
        return len(self._kept.ids) if self._kept is not None else 0

    def drop(self) -> bool:
        """Frees what is kept; whether there was something."""
        kept, self._kept = self._kept, None
        return kept is not None

    def opened(
        self, batch: Sequence[Loaded], tensors: Any, settings: Any, processed: Callable[[Loaded], Any]
    ) -> Opened | None:
        """The prompts of a batch from their opening on; None where they have none in common that can be gone on from.

        `tensors` are on the model's device, padded on the left; `settings` is a generation config that keeps the cache
        and ends after one token; `processed` makes such tensors of a prompt alone.
        """
        kept = self._kept if self._kept is not None and all(self._kept.begins(one.item) for one in batch) else None
        opening = kept.opening if kept is not None else batch[0].opening
        if opening is None or any(0 < one.shared <= opening.size for one in batch) or not self._suits(tensors):
            return None
        rows = _Rows(tensors=tensors, image=self._image)
        if kept is None:
            self.drop()
            kept = self._computed(rows, batch[0], opening, settings, processed)
        if kept is None or not rows.begin(kept.ids):
            return None
        spared = len(kept.ids) * (len(batch) - (kept is not self._kept))
        self._kept = kept
        return Opened(arguments=self._arguments(rows, kept, [len(one.item.images) for one in batch]), spared=spared)

    @staticmethod
    def _suits(tensors: Any) -> bool:
        """Videos, and images whose tokens see each other (`token_type_ids`) or that are cut by their number
        (`image_sizes`), are left out."""
        others = {"token_type_ids", "image_sizes"} & set(tensors)
        return not (others or any("video" in name for name in tensors))

    def _computed(
        self, rows: _Rows, first: Loaded, opening: Opening, settings: Any, processed: Callable[[Loaded], Any]
    ) -> Kept | None:
        """The opening of these rows; None where the processor doesn't make the same of it alone."""
        text = _up_to(opening.text, self._mark, opening.images)
        item = msgspec.structs.replace(first.item, text=text)
        images = first.images[: opening.images]
        alone = processed(msgspec.structs.replace(first, item=item, images=images, others=(), shared=0))
        ids = rows.common(alone["input_ids"][0].tolist())
        if not ids or ids.count(self._image) != (alone["input_ids"] == self._image).sum():
            return None  # a part of a frame isn't gone on from
        shape = alone["input_ids"].shape
        cut = {name: t[:, : len(ids)] if t.shape == shape else t for name, t in alone.items()}
        cache = self._model.generate(**cut, generation_config=settings).past_key_values
        pixels = alone.get("pixel_values")
        taken = 0 if pixels is None else pixels.shape[int(rows.by_prompt)]
        return Kept(item=first.item, opening=opening, ids=ids, rows=taken, cache=cache)

    def _arguments(self, rows: _Rows, kept: Kept, counts: list[int]) -> dict[str, Any]:
        import torch

        whole = rows.rearranged(len(kept.ids), self._padding)
        # A model with 2-D positions of frames needs the sizes of all of them for those of the words behind.
        sizes = {name: rows.tensors[name] for name in ("image_grid_thw",) if name in rows.tensors}
        positions = self._model._prepare_position_ids_for_generation(whole["input_ids"], whole | sizes)
        cache = copy.deepcopy(kept.cache)
        cache.batch_select_indices(torch.zeros(len(counts), dtype=torch.long))
        behind = rows.frames_behind(kept, counts)
        return whole | behind | {"position_ids": positions, "past_key_values": cache}


_PICTURE = 3
"""Dimensions of a picture: colours, height, width."""


def _up_to(text: str, mark: str, images: int) -> str:
    """The text before the mark of the frame behind so many."""
    return mark.join(text.split(mark)[: images + 1]) if mark else text


class _Rows(msgspec.Struct, frozen=True, kw_only=True):
    """The prompts of a batch in tokens."""

    tensors: Any
    image: int
    """The token that frames are made of."""

    @property
    def starts(self) -> list[int]:
        """Where each prompt begins, behind its padding."""
        mask = self.tensors["attention_mask"]
        return [mask.shape[1] - int(length) for length in mask.sum(dim=1)]

    @property
    def by_prompt(self) -> bool:
        """Whether pictures stand by prompt, of shape (prompts, most pictures, ...)."""
        pixels = self.tensors.get("pixel_values")
        return pixels is not None and pixels.dim() == 2 + _PICTURE

    def common(self, ids: list[int]) -> list[int]:
        """As many of these tokens as all prompts begin with, of which each has more."""
        rows = [row[start:-1] for row, start in zip(self.tensors["input_ids"].tolist(), self.starts, strict=True)]
        alike = takewhile(lambda column: len(set(column)) == 1, zip(ids, *rows, strict=False))
        return [column[0] for column in alike]

    def begin(self, ids: list[int]) -> bool:
        """Whether all prompts begin so, and go on."""
        return self.common(ids) == ids

    def rearranged(self, opening: int, padding: int) -> dict[str, Any]:
        """The whole prompts with their padding between an opening of so many tokens and what follows it."""
        import torch
        from torch.nn.functional import pad

        found, shape = {}, self.tensors["input_ids"].shape
        longest = shape[1] - min(self.starts)
        for name, tensor in self.tensors.items():
            if getattr(tensor, "shape", None) != shape:
                continue
            value = padding if name == "input_ids" else 0
            found[name] = torch.stack(
                [
                    torch.cat(
                        [
                            row[start : start + opening],
                            pad(row[start + opening :], (longest - (len(row) - start), 0), value=value),
                        ]
                    )
                    for row, start in zip(tensor, self.starts, strict=True)
                ]
            )
        return found

    def frames_behind(self, kept: Kept, counts: list[int]) -> dict[str, Any]:
        """The frames that come after the opening; `counts` are those of each prompt."""
        import torch

        images = kept.opening.images
        if "pixel_values" not in self.tensors or sum(counts) == images * len(counts):
            return {}
        if self.by_prompt:
            return {n: t[:, kept.rows :].contiguous() for n, t in self.tensors.items() if n.startswith("pixel_")}
        pixels, found = self.tensors["pixel_values"], {}
        tokens = (self.tensors["input_ids"] == self.image).sum(dim=1)
        taken = [int(count) * len(pixels) // int(tokens.sum()) for count in tokens]
        found["pixel_values"] = torch.cat([rows[kept.rows :] for rows in torch.split(pixels, taken)])
        if "image_grid_thw" in self.tensors:
            sizes = torch.split(self.tensors["image_grid_thw"], counts)
            found["image_grid_thw"] = torch.cat([rows[images:] for rows in sizes])
        return found
