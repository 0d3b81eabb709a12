"""Which requests share a batch: pure bookkeeping on estimated lengths, decided by the order of requests alone.

Batches never depend on timing, so that the same requests come in the same batches in every run.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Sized(Protocol):
    """Something that goes into a batch: one prompt, or several that belong together."""

    @property
    def tokens(self) -> int:
        """Estimated length of its longest prompt."""

    @property
    def count(self) -> int:
        """How many prompts it has."""

    @property
    def kind(self) -> Hashable:
        """Only items of equal kind may share a batch."""


Item = TypeVar("Item", bound=Sized)


def cut_batches(items: Iterable[Item], *, max_items: int | None, max_tokens: int) -> list[list[Item]]:
    """Sorts items by kind and length, longest first, and cuts them into batches.

    A batch's cost is its number of prompts times its longest prompt's tokens, as padding fills the others up; it stays
    within `max_tokens`, and its prompts within `max_items`, except where a single item is beyond that. Equal lengths
    keep their order.
    """
    kinds: dict[Hashable, list[Item]] = {}
    for item in items:
        kinds.setdefault(item.kind, []).append(item)
    batches: list[list[Item]] = []
    for group in kinds.values():
        batch: list[Item] = []
        count = 0
        for item in sorted(group, key=lambda item: -item.tokens):
            longest = batch[0].tokens if batch else item.tokens
            full = (count + item.count) * longest > max_tokens
            if batch and (full or (max_items is not None and count + item.count > max_items)):
                batches.append(batch)
                batch, count = [], 0
            batch.append(item)
            count += item.count
        if batch:
            batches.append(batch)
    return batches


def window_sizes(first: int, largest: int) -> Iterator[int]:
    """How many requests to draw before each cut: few at first, to start soon, then twice as many up to a bound."""
    size = min(first, largest)
    while True:
        yield size
        size = min(2 * size, largest)
