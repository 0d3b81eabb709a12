"""Which requests share a batch: pure bookkeeping on estimated lengths, decided by the order of requests alone.

Batches never depend on timing, so that the same requests come in the same batches in every run.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Sized(Protocol):
    """Something that goes into a batch."""

    @property
    def tokens(self) -> int:
        """Estimated length of its prompt."""

    @property
    def kind(self) -> Hashable:
        """Only items of equal kind may share a batch."""


Item = TypeVar("Item", bound=Sized)


def cut_batches(items: Iterable[Item], *, max_items: int | None, max_tokens: int) -> list[list[Item]]:
    """Sorts items by kind and length, longest first, and cuts them into batches.

    A batch's cost is its number of items times its longest item's tokens, as padding fills the others up; it stays
    within `max_tokens`, except where a single item is longer than that. Equal lengths keep their order.
    """
    kinds: dict[Hashable, list[Item]] = {}
    for item in items:
        kinds.setdefault(item.kind, []).append(item)
    batches: list[list[Item]] = []
    for group in kinds.values():
        batch: list[Item] = []
        for item in sorted(group, key=lambda item: -item.tokens):
            longest = batch[0].tokens if batch else item.tokens
            full = batch and (len(batch) + 1) * longest > max_tokens
            if full or (max_items is not None and len(batch) >= max_items):
                batches.append(batch)
                batch = []
            batch.append(item)
        if batch:
            batches.append(batch)
    return batches


def window_sizes(first: int, largest: int) -> Iterator[int]:
    """How many requests to draw before each cut: few at first, to start soon, then twice as many up to a bound."""
    size = min(first, largest)
    while True:
        yield size
        size = min(2 * size, largest)
