"""Which requests share a batch: pure bookkeeping on estimated lengths, decided by the order of requests alone.

Batches never depend on timing, so that the same requests come in the same batches in every run.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


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


def cut_batches(
    items: Iterable[Item],
    *,
    max_items: int | None,
    holds: Callable[[list[Item]], bool],
    apart: Callable[[Item], Hashable] | None = None,
) -> list[list[Item]]:
    """Sorts items by kind and length, longest first, and cuts them into batches.

    `holds` says whether a batch fits, and a batch's prompts keep within `max_items`; a single item is a batch in any
    case. `apart`: what else items of a batch must have in common. Equal lengths keep their order.
    """
    kinds: dict[Hashable, list[Item]] = {}
    for item in sorted(items, key=lambda item: -item.tokens):
        kinds.setdefault((item.kind, apart(item) if apart is not None else None), []).append(item)
    batches: list[list[Item]] = []
    for group in kinds.values():
        batch: list[Item] = []
        for item in group:
            longer = [*batch, item]
            many = max_items is not None and sum(one.count for one in longer) > max_items
            if batch and (many or not holds(longer)):
                batches.append(batch)
                batch = []
            batch.append(item)
        batches.append(batch)
    return batches


def window_sizes(first: int, largest: int) -> Iterator[int]:
    """How many requests to draw before each cut: few at first, to start soon, then twice as many up to a bound."""
    size = min(first, largest)
    while True:
        yield size
        size = min(2 * size, largest)
