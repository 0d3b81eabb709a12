"""Extreme sport clips (ExtrameSportFPV): which sport, which tricks and turns in which order, when, where to next."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image

from egocross_eval.tasks.egocross.demo.ride import DIRECTIONS, SPORTS, TRICKS, ride_picture
from egocross_eval.tasks.egocross.demo.shots import Riddle, Shot, Take, time_bins


class Leg(NamedTuple):
    """What the athlete does from `start` seconds until the next leg."""

    action: str
    start: float
    sign: bool = True
    """Whether the marshal's board that names the action is in view."""
    ahead: str | None = None
    """Direction that a road sign and the bend in front announce."""


@dataclass(frozen=True, slots=True)
class Run:
    """One clip of a run: legs one after the other."""

    size: tuple[int, int]
    look: str
    sport: str
    legs: tuple[Leg, ...]

    def leg(self, time: float) -> Leg:
        """The leg at `time`."""
        return [leg for leg in self.legs if leg.start <= time][-1]

    def draw(self, time: float) -> Image.Image:
        """The RGB picture at `time`."""
        leg = self.leg(time)
        sign = leg.action if leg.sign else None
        return ride_picture(self.size, self.sport, self.look, leg.action, sign, leg.ahead, time)


def _sport(take: Take) -> str:
    """Every source video shows one sport."""
    return sorted(SPORTS)[take.place % len(SPORTS)]


def trick(take: Take) -> Shot:
    """A straight run with one special action in it: which action, and which sport."""
    rng = take.rng
    sport = _sport(take)
    action = rng.choice(sorted(TRICKS))
    last = len(take.times) - 1
    first_frame = rng.randint(1, max(1, last // 2))
    after_frame = rng.randint(min(first_frame + 2, last), last)
    start, end = take.times[first_frame], take.times[after_frame]
    legs = [Leg("Forward", 0.0, sign=False), Leg(action, start)]
    if after_frame > first_frame + 1:
        legs.append(Leg("Forward", end - 0.01, sign=False))
    what = Riddle(
        "special action identification",
        f"What action is being performed in the video segment from {start:.0f}s to {end:.0f}s?",
        action,
        tuple(name for name in TRICKS if name != action),
        f"The athlete rides straight on and performs a {action.lower()} from {start:.0f}s to {end:.0f}s.",
    )
    which = Riddle(
        "sport identification",
        "What extreme sport is being performed in the video segment?",
        sport,
        tuple(name for name in SPORTS if name != sport),
        f"The surroundings and the gear are those of {sport.lower()}.",
    )
    return Shot(Run(take.size, take.look, sport, tuple(legs)), take.times, (what, which))


_HUES = DIRECTIONS | TRICKS


def _sequence(rng: random.Random) -> tuple[str, str, str]:
    """Three actions with signs of different hues, so that each begins once and is told from the others by its hue."""
    while True:
        first, second, third = rng.sample(sorted(_HUES), 3)
        if len({_HUES[first], _HUES[second], _HUES[third]}) == 3:
            return first, second, third


def _spell(actions: tuple[str, str, str]) -> str:
    return " → ".join(actions)


def run(take: Take) -> Shot:
    """Three actions one after the other: which sequence, and when one of them begins."""
    rng = take.rng
    actions = _sequence(rng)
    starts = [centre + rng.choice((-1.0, -0.5, 0.0)) for centre in time_bins(take.seconds)]
    bins = sorted(rng.sample(range(len(starts)), 2))
    legs = (Leg(actions[0], 0.0), Leg(actions[1], starts[bins[0]]), Leg(actions[2], starts[bins[1]]))
    asked = rng.choice((0, 1))
    action, right = actions[asked + 1], bins[asked]
    wrong = set[str]()
    while len(wrong) < 5:
        other = _sequence(rng)
        if sum(_HUES[a] != _HUES[b] for a, b in zip(other, actions, strict=True)) >= 2:
            wrong.add(_spell(other))
    when = ", ".join(f"{leg.action.lower()} from {leg.start:.1f}s" for leg in legs)
    order = Riddle(
        "action sequence identification",
        f"What sequence of actions is performed in the time segment from 0s to {take.end:.0f}s?",
        _spell(actions),
        tuple(sorted(wrong)),
        f"The athlete's actions are {when}.",
    )
    begin = Riddle(
        "action temporal localization",
        f"At what approximate time does the '{action.lower()}' action begin in this video segment?",
        f"{starts[right]:.1f}s",
        tuple(f"{start:.1f}s" for index, start in enumerate(starts) if index != right),
        f"The athlete's actions are {when}.",
    )
    return Shot(Run(take.size, take.look, _sport(take), legs), take.times, (order, begin))


_SPOKEN = {
    "Left": "Left",
    "Right": "Right",
    "Curveleft": "Curve left",
    "Curveright": "Curve right",
    "Forward": "Forward",
    "Leftright": "Left then right",
}


def bend(take: Take) -> Shot:
    """A straight run that ends before a bend with a road sign: the direction that follows."""
    rng = take.rng
    direction = rng.choice(sorted(DIRECTIONS))
    seen_from = take.times[rng.randint(len(take.times) // 2, len(take.times) - 2)]
    legs = (Leg("Forward", 0.0, sign=False), Leg("Forward", seen_from, sign=False, ahead=direction))
    right = _SPOKEN[direction]
    riddle = Riddle(
        "next direction prediction",
        "Based on the video segment, what is the next direction of movement?",
        right,
        tuple(name for name in _SPOKEN.values() if name != right),
        f"From {seen_from:.1f}s on a road sign and the bend ahead announce: {right.lower()}.",
    )
    return Shot(Run(take.size, take.look, _sport(take), legs), take.times, (riddle,))


RIDE_KINDS: dict[str, Callable[[Take], Shot]] = {"trick": trick, "run": run, "bend": bend}
