"""Scripts for hands that hold, touch and swap things: who has what, where and from when to when."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .shots import REGION_NAMES, Take
from .tabletop import Hand, Stay, Thing


@dataclass(frozen=True, slots=True)
class Setting:
    """What a dataset's tabletop scenes consist of."""

    things: Mapping[str, Thing]
    hands: Mapping[str, Hand]
    reach: Mapping[str, tuple[str, ...]]
    """Regions in which each hand works."""


class Held(NamedTuple):
    """A thing in a hand at a time that a question asks about."""

    stay: Stay
    time: float


class Views(NamedTuple):
    """A script of things in view, and the held thing to ask about."""

    stays: tuple[Stay, ...]
    asked: Held


def cut_before(times: Sequence[float], index: int) -> float:
    """A moment halfway between frame `index` - 1 and frame `index`: a change then is seen from frame `index` on."""
    return (times[index - 1] + times[index]) / 2


def write_views(take: Take, setting: Setting, count: int) -> Views:
    """`count` kinds of things, one at least held; some enter late or leave early; the held one may change its
    region."""
    rng, times = take.rng, take.times
    names = rng.sample(sorted(setting.things), count)
    hands = rng.sample(sorted(setting.hands), len(setting.hands))
    holders = hands[: rng.randint(1, min(count, len(hands)))]
    free = list(REGION_NAMES)
    first = _claim(rng, free, setting.reach[holders[0]])
    whole = Stay(names[0], first, 0.0, take.until, holders[0])
    asked = [whole]
    if len(times) > 3 and rng.random() < 0.35:  # moves to another region in the middle
        moment = cut_before(times, len(times) // 2)
        second = _claim(rng, free, setting.reach[holders[0]])
        asked = [whole._replace(end=moment), whole._replace(region=second, start=moment)]
    stays = list(asked)
    for index, name in enumerate(names[1:], start=1):
        hand = holders[index] if index < len(holders) else None
        region = _claim(rng, free, setting.reach[hand] if hand else REGION_NAMES)
        start, end = _presence(rng, times, take.until)
        stays.append(Stay(name, region, start, end, hand))
    chosen = rng.choice(asked)
    inside = [time for time in times if chosen.start <= time < chosen.end]
    return Views(tuple(stays), Held(chosen, rng.choice(inside)))


class Grips(NamedTuple):
    """A script of hands at work."""

    stays: tuple[Stay, ...]
    hands: tuple[str, ...]
    """The hands that hold something; each holds one thing in most frames."""


def write_grips(take: Take, setting: Setting, spare: int) -> Grips:
    """Two hands hold a thing each, `spare` more lie around; a hand may swap its thing for one of these for a short
    while."""
    rng, times = take.rng, take.times
    hands = rng.sample(sorted(setting.hands), 2)
    names = rng.sample(sorted(setting.things), 2 + spare)
    free = list(REGION_NAMES)
    stays: list[Stay] = []
    lying = names[2:]
    for hand, name in zip(hands, names[:2], strict=True):
        held = Stay(name, _claim(rng, free, setting.reach[hand]), 0.0, take.until, hand)
        if lying and len(times) > 3 and rng.random() < 0.4:
            other = Stay(lying.pop(), _claim(rng, free, setting.reach[hand]), 0.0, take.until)
            moment = cut_before(times, len(times) - max(1, len(times) // 4))
            stays += [held._replace(end=moment), held._replace(start=moment, hand=None)]
            stays += [other._replace(end=moment), other._replace(start=moment, hand=hand)]
        else:
            stays.append(held)
    for name in lying:
        stays.append(Stay(name, _claim(rng, free, REGION_NAMES), 0.0, take.until))
    return Grips(tuple(stays), tuple(hands))


def _claim(rng: random.Random, free: list[str], wanted: Sequence[str]) -> str:
    """Takes one of the `wanted` regions out of the `free` ones, or any free one when none of them is left."""
    region = rng.choice([region for region in wanted if region in free] or free)
    free.remove(region)
    return region


def _presence(rng: random.Random, times: Sequence[float], until: float) -> tuple[float, float]:
    """When a thing is in view: throughout, or entering before or leaving after the middle frame."""
    how = rng.choice(("stays", "stays", "enters", "leaves"))
    if how == "stays" or len(times) < 3:
        return 0.0, until
    if how == "enters":
        return cut_before(times, rng.randint(1, len(times) // 2)), until
    return 0.0, cut_before(times, rng.randint((len(times) + 1) // 2, len(times) - 1))
