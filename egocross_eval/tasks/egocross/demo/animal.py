"""Animal clips (EgoPet): a camera on an animal's collar that meets things."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image, ImageDraw

from egocross_eval.tasks.egocross.demo.palette import HUES, INK, PAPER, Colour, hues_in_order, shade
from egocross_eval.tasks.egocross.demo.paws import ANIMALS, draw_animal
from egocross_eval.tasks.egocross.demo.shapes import ANIMAL
from egocross_eval.tasks.egocross.demo.shots import Riddle, Shot, Take, seeded, time_bins
from egocross_eval.tasks.egocross.demo.sprites import stamp, tag, tagged
from egocross_eval.tasks.egocross.demo.tabletop import Thing

THINGS: dict[str, Thing] = {name: Thing(ANIMAL[name], HUES[hue]) for name, hue in hues_in_order(ANIMAL).items()}


class Meeting(NamedTuple):
    """The animal touches a thing from `start` until `end` (seconds)."""

    name: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Walk:
    """One clip: meetings, and things that are only seen far away."""

    size: tuple[int, int]
    look: str
    animal: str
    meetings: tuple[Meeting, ...]
    bystanders: tuple[str, ...]

    def met(self, time: float) -> str | None:
        """What the animal touches at `time`."""
        return next((meeting.name for meeting in self.meetings if meeting.start <= time <= meeting.end), None)

    def draw(self, time: float) -> Image.Image:
        """The RGB picture at `time`: surroundings, things far away, the thing that is met, the animal's own parts."""
        image = _surroundings(self.size, self.look).copy()
        width, height = self.size
        label = round(height * 0.06)
        met = self.met(time)
        for place, name in zip((0.15, 0.85), self.bystanders, strict=False):
            thing = THINGS[name]
            drift = 0.03 * math.sin(time * 0.9 + place * 5)
            far = tagged(thing.shape, thing.colour, round(height * 0.13), name, label)
            stamp(image, far, (width * (place + drift), height * 0.36))
        if met is not None:
            thing = THINGS[met]
            near = tagged(thing.shape, thing.colour, round(height * 0.46), met, label)
            stamp(image, near, (width * (0.5 + 0.02 * math.sin(time * 1.9)), height * 0.42))
        draw_animal(image, self.animal, reaching=met is not None, time=time)
        stamp(image, tag(self.animal, label, INK, PAPER), (width / 2, height * 0.965))
        return image


def _surroundings(size: tuple[int, int], look: str) -> Image.Image:
    rng = seeded("walk", look)
    tone = rng.uniform(0.9, 1.05)
    width, height = size
    wall: Colour = rng.choice(((206, 200, 186), (190, 204, 214), (198, 208, 190)))
    floor: Colour = rng.choice(((150, 138, 122), (134, 144, 128), (158, 150, 146)))
    image = Image.new("RGB", size, shade(wall, tone))
    draw = ImageDraw.Draw(image)
    edge = height * rng.uniform(0.42, 0.5)
    draw.rectangle([0, edge, width, height], fill=shade(floor, tone))
    for index in range(5):
        x = width * (index / 4)
        draw.line(
            [(width / 2 + (x - width / 2) * 0.4, edge), (width / 2 + (x - width / 2) * 1.8, height)],
            fill=shade(floor, tone * 0.86),
        )
    return image


def _animal(take: Take) -> str:
    """Every source video is filmed by one animal."""
    return sorted(ANIMALS)[take.place % len(ANIMALS)]


def meet(take: Take) -> Shot:
    """The animal touches one thing in the second half of the clip: which thing, and which animal films."""
    rng = take.rng
    animal = _animal(take)
    name, *others = rng.sample(sorted(THINGS), 3)
    start = take.times[rng.randint(0, len(take.times) // 2)]
    walk = Walk(take.size, take.look, animal, (Meeting(name, start, take.until),), tuple(others[: rng.randint(0, 2)]))
    which = Riddle(
        "interaction identification",
        f"What object is the {animal.lower()} interacting with in this video segment?",
        name,
        tuple(other for other in THINGS if other != name),
        f"The {animal.lower()} touches the {name.lower()} from {start:.1f}s on.",
    )
    who = Riddle(
        "animal identification",
        "What type of animal is featured in this egocentric video segment?",
        animal,
        tuple(other for other in ANIMALS if other != animal),
        f"The {ANIMALS[animal].parts} at the lower edge are those of a {animal.lower()}.",
    )
    return Shot(walk, take.times, (which, who))


def walk(take: Take) -> Shot:
    """The animal meets two things one after the other: when it first touches one of them."""
    rng = take.rng
    animal = _animal(take)
    first, second = rng.sample(sorted(THINGS), 2)
    length = take.seconds / 4 * 0.5
    starts = [centre - length / 2 + rng.choice((-0.5, 0.0, 0.5)) for centre in time_bins(take.seconds)]
    bins = sorted(rng.sample(range(len(starts)), 2))
    meetings = tuple(
        Meeting(name, starts[index], starts[index] + length) for name, index in zip((first, second), bins, strict=True)
    )
    asked = rng.choice((0, 1))
    name, right = meetings[asked].name, bins[asked]
    scene = Walk(take.size, take.look, animal, meetings, tuple(rng.sample((first, second), rng.randint(0, 1))))
    ranges = [f"{start:.1f}-{start + length:.1f} seconds" for start in starts]
    told = " and ".join(
        f"the {meeting.name.lower()} from {meeting.start:.1f}s to {meeting.end:.1f}s" for meeting in meetings
    )
    riddle = Riddle(
        "interaction temporal localization",
        f"When does the {animal.lower()} first interact with the {name.lower()} in this video clip?",
        ranges[right],
        tuple(text for index, text in enumerate(ranges) if index != right),
        f"The {animal.lower()} touches {told}.",
    )
    return Shot(scene, take.times, (riddle,))


WALK_KINDS: dict[str, Callable[[Take], Shot]] = {"meet": meet, "walk": walk}
