"""Which prompts begin alike, so that their common beginning is computed once: those of a question's rotations, say."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

import msgspec

from egocross_eval.model_adapters.checkpoints.preparation import Item, Opening
from egocross_eval.schema import ImagePart

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

LEAST_GAIN = 0.3
"""Share of the prompts' tokens that must be spared for prompts to be grouped: a group is computed in two passes."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Items that are computed together from one beginning, or a single item."""

    items: tuple[Item, ...]
    shared: int = 0
    """How many of `Item.ids` all items begin with; 0 for a single item."""
    opening: Opening | None = None
    """What all items of several groups begin with."""

    @property
    def tokens(self) -> int:
        """Estimated length of the longest prompt."""
        return max(item.tokens for item in self.items)

    @property
    def beginning(self) -> int:
        """Estimated tokens that all prompts begin with; those of the whole prompt for a single item."""
        first = self.items[0]
        return first.tokens - (len(first.ids) - self.shared) if self.shared else first.tokens

    @property
    def count(self) -> int:
        """Prompts of which the key-value cache is held, the beginning's counted for each."""
        return len(self.items)

    @property
    def kind(self) -> Hashable:
        """Only groups of equal kind can be computed in one batch."""
        return bool(self.shared), self.items[0].kind


def group_items(items: Iterable[Item], *, max_items: int | None, holds: Callable[[list[Group]], bool]) -> list[Group]:
    """Puts items that show the same frames and begin alike into groups, in the order of their first items.

    A group keeps within `max_items`, and `holds` says whether it fits.
    """
    by_media: dict[Hashable, list[Item]] = {}
    for place, item in enumerate(items):
        media = (item.kind, item.images, item.clips) if item.images or item.clips else place
        by_media.setdefault(media, []).append(item)
    groups: list[Group] = []
    for alike in by_media.values():
        most = len(alike) if max_items is None else max_items
        while alike:
            size = next((n for n in range(min(most, len(alike)), 1, -1) if holds([_group(alike[:n])])), 1)
            groups.extend(_grouped(alike[:size]))
            alike = alike[size:]
    return groups


def by_opening(groups: Iterable[Group], placeholder: int | None) -> list[list[Group]]:
    """The groups apart by the earlier turns of their prompts, such as examples, in the order of the first of each.

    Groups whose earlier turns no other group has stay together. `placeholder`: the token that stands for a frame.
    """
    alike: dict[Hashable, list[Group]] = {}
    for group in groups:
        alike.setdefault(group.items[0].request.prompt.messages[:-1], []).append(group)
    rest: list[Group] = []
    found: list[list[Group]] = []
    for turns, members in alike.items():
        opening = _opening(members, placeholder) if turns and len(members) > 1 else None
        if opening is None:
            found += [] if rest else [rest]
            rest += members
        else:
            found.append([msgspec.structs.replace(group, opening=opening) for group in members])
    return found


def _opening(groups: list[Group], placeholder: int | None) -> Opening | None:
    """What all prompts begin with, no more frames than their earlier turns have; None where that would spare little."""
    items = [item for group in groups for item in group.items]
    first = items[0]
    earlier = sum(isinstance(part, ImagePart) for turn in first.request.prompt.messages[:-1] for part in turn.parts)
    places = [place for place, token in enumerate(first.ids) if token == placeholder]
    size = _common([item.ids for item in items])
    if len(places) != len(first.images) or first.clips:
        return None
    size = min([size, *places[earlier : earlier + 1]])
    images = sum(place < size for place in places)
    frame = (first.tokens - len(first.ids)) / max(1, len(first.images))
    spared = (len(groups) - 1) * (size + frame * images)
    enough = size > 0 and spared >= LEAST_GAIN * sum(group.beginning for group in groups)
    text = first.text[: _common([item.text for item in items])]
    return Opening(size=size, images=images, text=text) if enough else None


def _group(items: list[Item]) -> Group:
    """The items as a group; what they share isn't looked for, only said to be something."""
    return Group(items=tuple(items), shared=1)


def _grouped(items: list[Item]) -> list[Group]:
    """The items as one group, or each alone where that would spare too little."""
    group = Group(items=tuple(items), shared=_common([item.ids for item in items]))
    spared = (len(items) - 1) * group.beginning
    if len(items) == 1 or not group.shared or spared < LEAST_GAIN * sum(item.tokens for item in items):
        return [Group(items=(item,)) for item in items]
    return [group]


def _common(rows: Sequence[Sequence[object]]) -> int:
    """Length of the longest common beginning that leaves each row at least one token, or character."""
    columns = zip(*(row[:-1] for row in rows), strict=False)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
