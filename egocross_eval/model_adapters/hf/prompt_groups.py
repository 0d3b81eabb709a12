"""Which prompts begin alike, so that their common beginning is computed once: those of a question's rotations, say."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

import msgspec

from egocross_eval.model_adapters.checkpoints.preparation import Item

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

LEAST_GAIN = 0.3
"""Share of the prompts' tokens that must be spared for prompts to be grouped: a group is computed in two passes."""


KEPT_TOGETHER = 4
"""Prompts that stay together even where their caches exceed the bound of a batch: a question's four rotations. A group
that doesn't fit the memory is taken apart then."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Items that are computed together from one beginning, or a single item."""

    items: tuple[Item, ...]
    shared: int = 0
    """How many of `Item.ids` all items begin with; 0 for a single item."""

    @property
    def tokens(self) -> int:
        """Estimated length of the longest prompt."""
        return max(item.tokens for item in self.items)

    @property
    def count(self) -> int:
        """Prompts of which the key-value cache is held, the beginning's counted for each."""
        return len(self.items)

    @property
    def kind(self) -> Hashable:
        """Only groups of equal kind can be computed in one batch."""
        return bool(self.shared), self.items[0].kind


def group_items(items: Iterable[Item], *, max_items: int | None, max_tokens: int) -> list[Group]:
    """Puts items that show the same frames and begin alike into groups, in the order of their first items.

    A group's items keep within `max_items`. Where they are more than `KEPT_TOGETHER`, their number times the tokens of
    the longest keeps within `max_tokens`.
    """
    by_media: dict[Hashable, list[Item]] = {}
    for place, item in enumerate(items):
        media = (item.kind, item.images, item.clips) if item.images or item.clips else place
        by_media.setdefault(media, []).append(item)
    groups: list[Group] = []
    for alike in by_media.values():
        longest = max(item.tokens for item in alike)
        size = max(KEPT_TOGETHER, max_tokens // longest)
        size = size if max_items is None else min(size, max_items)
        for start in range(0, len(alike), size):
            groups.extend(_grouped(alike[start : start + size]))
    return groups


def _grouped(items: list[Item]) -> list[Group]:
    """The items as one group, or each alone where that would spare too little."""
    shared = _common([item.ids for item in items])
    first = items[0]
    beginning = first.tokens - (len(first.ids) - shared)
    spared = (len(items) - 1) * beginning
    if len(items) == 1 or shared == 0 or spared < LEAST_GAIN * sum(item.tokens for item in items):
        return [Group(items=(item,)) for item in items]
    return [Group(items=tuple(items), shared=shared)]


def _common(rows: list[tuple[int, ...]]) -> int:
    """Length of the longest common beginning that leaves each row at least one token."""
    columns = zip(*(row[:-1] for row in rows), strict=False)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
