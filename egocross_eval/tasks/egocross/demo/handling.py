"""Scripts for hands that hold, touch and swap things: who has what, where and from when to when."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple, TypeVar

from egocross_eval.tasks.egocross.demo.shots import REGION_NAMES, Take, region_box
from egocross_eval.tasks.egocross.demo.tabletop import Hand, Stay, Thing

_Script = TypeVar("_Script")


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


class Grips(NamedTuple):
    """A script of hands at work."""

    stays: tuple[Stay, ...]
    hands: tuple[str, ...]
    """The hands that hold something; each holds one thing in most frames."""


def cut_before(times: Sequence[float], index: int) -> float:
    """A moment halfway between frame `index` - 1 and frame `index`: a change then is seen from frame `index` on."""
    return (times[index - 1] + times[index]) / 2


def write_views(take: Take, setting: Setting, count: int) -> Views:
    """`count` kinds of things, one at least held; some enter late or leave early; the held one may move."""
    return _until_it_fits(lambda places: _views(take, setting, count, places), take.rng, setting)


def write_grips(take: Take, setting: Setting, spare: int) -> Grips:
    """Two hands hold a thing each, `spare` more lie around; a hand may swap its thing for one of these for a while."""
    return _until_it_fits(lambda places: _grips(take, setting, spare, places), take.rng, setting)


class _CrowdedError(Exception):
    """No region is left that a thing could be in."""


class _Places:
    """Gives out regions so that no arm passes over a thing that it doesn't hold."""

    def __init__(self, rng: random.Random, setting: Setting) -> None:
        self._rng = rng
        self._setting = setting
        self._taken: set[str] = set()
        self._crossed: set[str] = set()

    def for_hand(self, hand: str) -> str:
        """A region within reach of `hand`."""
        fitting = [
            region
            for region in self._setting.reach[hand]
            if region not in self._taken | self._crossed and not self._way(hand, region) & self._taken
        ]
        # Regions that several hands reach would else be answers more often than the others.
        weights = [1 / sum(region in reach for reach in self._setting.reach.values()) for region in fitting]
        region = self._take(fitting, weights)
        self._crossed |= self._way(hand, region)
        return region

    def keep_clear(self, hand: str) -> None:
        """Leaves the region free in which `hand` rests, so that it doesn't seem to hold what lies there."""
        self._crossed.add(self._home(hand))

    def anywhere(self) -> str:
        """A region for something that lies around."""
        return self._take([region for region in REGION_NAMES if region not in self._taken | self._crossed])

    def _take(self, fitting: list[str], weights: list[float] | None = None) -> str:
        if not fitting:
            raise _CrowdedError
        (region,) = self._rng.choices(fitting, weights)
        self._taken.add(region)
        return region

    def _way(self, hand: str, region: str) -> set[str]:
        """The other regions that the arm of `hand` comes from or whose middle it passes on its way to `region`."""
        start = self._setting.hands[hand].anchor
        end = _middle(region)
        passed = {name for name in REGION_NAMES if _distance(_middle(name), start, end) < 0.14}
        return (passed | {self._home(hand)}) - {region}

    def _home(self, hand: str) -> str:
        """The region in which `hand` rests."""
        anchor = self._setting.hands[hand].anchor
        return min(REGION_NAMES, key=lambda name: math.dist(_middle(name), anchor))


def _until_it_fits(write: Callable[[_Places], _Script], rng: random.Random, setting: Setting) -> _Script:
    while True:
        try:
            return write(_Places(rng, setting))
        except _CrowdedError:
            continue  # the next attempt draws other regions


def _views(take: Take, setting: Setting, count: int, places: _Places) -> Views:
    rng, times = take.rng, take.times
    names = rng.sample(sorted(setting.things), count)
    hands = rng.sample(sorted(setting.hands), len(setting.hands))
    holders = hands[: rng.randint(1, min(count, len(hands)))]
    for hand in hands[len(holders) :]:
        places.keep_clear(hand)
    whole = Stay(names[0], places.for_hand(holders[0]), 0.0, take.until, holders[0])
    asked = [whole]
    if len(times) > 3 and rng.random() < 0.35:  # moves to another region in the middle
        moment = cut_before(times, len(times) // 2)
        asked = [whole._replace(end=moment), whole._replace(region=places.for_hand(holders[0]), start=moment)]
    stays = list(asked)
    for name, holder in zip_longest(names[1:], holders[1:]):
        region = places.for_hand(holder) if holder else places.anywhere()
        start, end = _presence(rng, times, take.until)
        stays.append(Stay(name, region, start, end, holder))
    chosen = rng.choice(asked)
    inside = [time for time in times if chosen.start <= time < chosen.end]
    return Views(tuple(stays), Held(chosen, rng.choice(inside)))


def _grips(take: Take, setting: Setting, spare: int, places: _Places) -> Grips:
    rng, times = take.rng, take.times
    hands = rng.sample(sorted(setting.hands), 2)
    for idle in sorted(set(setting.hands) - set(hands)):
        places.keep_clear(idle)
    names = rng.sample(sorted(setting.things), 2 + spare)
    stays: list[Stay] = []
    lying = names[2:]
    for hand, name in zip(hands, names[:2], strict=True):
        held = Stay(name, places.for_hand(hand), 0.0, take.until, hand)
        if lying and len(times) > 3 and rng.random() < 0.4:
            other = Stay(lying.pop(), places.for_hand(hand), 0.0, take.until)
            moment = cut_before(times, len(times) - max(1, len(times) // 4))
            stays += [held._replace(end=moment), held._replace(start=moment, hand=None)]
            stays += [other._replace(end=moment), other._replace(start=moment, hand=hand)]
        else:
            stays.append(held)
    stays += [Stay(name, places.anywhere(), 0.0, take.until) for name in lying]
    return Grips(tuple(stays), tuple(hands))


def _middle(region: str) -> tuple[float, float]:
    left, top, right, bottom = region_box(region, (1, 1))
    return (left + right) / 2, (top + bottom) / 2


def _distance(point: tuple[float, float], start: tuple[float, float], end: tuple[float, float]) -> float:
    """Distance of `point` from the line between `start` and `end`."""
    along = (end[0] - start[0], end[1] - start[1])
    reach = (point[0] - start[0], point[1] - start[1])
    share = (reach[0] * along[0] + reach[1] * along[1]) / (along[0] ** 2 + along[1] ** 2)
    share = max(0.0, min(1.0, share))
    return math.hypot(reach[0] - share * along[0], reach[1] - share * along[1])


def _presence(rng: random.Random, times: Sequence[float], until: float) -> tuple[float, float]:
    """When a thing is in view: throughout, or entering before or leaving after the middle frame."""
    how = rng.choice(("stays", "stays", "enters", "leaves"))
    if how == "stays" or len(times) < 3:
        return 0.0, until
    if how == "enters":
        return cut_before(times, rng.randint(1, len(times) // 2)), until
    return 0.0, cut_before(times, rng.randint((len(times) + 1) // 2, len(times) - 1))
