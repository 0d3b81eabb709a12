"""Scenes of things that lie in a 3x3 grid or are held by hands, as surgery and assembly have them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image, ImageDraw

from egocross_eval.tasks.egocross.demo.palette import INK, PAPER, Colour
from egocross_eval.tasks.egocross.demo.shapes import Shape
from egocross_eval.tasks.egocross.demo.shots import region_box
from egocross_eval.tasks.egocross.demo.sprites import stamp, tag, tagged


class Thing(NamedTuple):
    """How a thing looks."""

    shape: Shape
    colour: Colour


class Hand(NamedTuple):
    """How a hand looks and where its arm enters the picture."""

    anchor: tuple[float, float]
    """Share of width and height."""
    colour: Colour
    label: str


class Stay(NamedTuple):
    """One thing in one region, held or not, from `start` until before `end` (seconds)."""

    name: str
    region: str
    start: float
    end: float
    hand: str | None = None
    acting: bool = False
    """True while the thing is being used: drawn with a flash around it."""


@dataclass(frozen=True, slots=True)
class Tabletop:
    """A table, bench or operating field seen from above."""

    size: tuple[int, int]
    ground: Image.Image
    """Background picture of `size`."""
    things: Mapping[str, Thing]
    hands: Mapping[str, Hand]
    stays: tuple[Stay, ...]
    sway: float = 0.0
    """Phase of the slight movement, different from clip to clip."""

    def visible(self, time: float) -> list[Stay]:
        """What is in view at `time`."""
        return [stay for stay in self.stays if stay.start <= time < stay.end]

    def seen(self, times: tuple[float, ...]) -> set[str]:
        """Names of all things in view in at least one frame."""
        return {stay.name for time in times for stay in self.visible(time)}

    def held_counts(self, hand: str, times: tuple[float, ...]) -> Counter[str]:
        """Number of frames in which `hand` holds each thing."""
        return Counter(stay.name for time in times for stay in self.visible(time) if stay.hand == hand)

    def draw(self, time: float) -> Image.Image:
        """The RGB picture at `time`: ground, arms, then things with their name tags on top."""
        image = self.ground.copy()
        draw = ImageDraw.Draw(image)
        height = self.size[1]
        side, tag_height = round(height * 0.24), round(height * 0.05)
        placed = [(stay, self._centre(stay, time)) for stay in self.visible(time)]
        grips = {stay.hand: centre for stay, centre in placed if stay.hand is not None}
        for name, hand in self.hands.items():
            self._draw_arm(draw, hand, grips.get(name), side)
        for stay, centre in placed:
            if stay.acting:
                _flash(draw, centre, side * 0.9)
            thing = self.things[stay.name]
            stamp(image, tagged(thing.shape, thing.colour, side, stay.name, tag_height), centre)
        for hand in self.hands.values():
            label = tag(hand.label, round(tag_height * 0.9), INK, PAPER)
            stamp(image, label, (hand.anchor[0] * self.size[0], hand.anchor[1] * height))
        return image

    def _centre(self, stay: Stay, time: float) -> tuple[float, float]:
        left, top, right, bottom = region_box(stay.region, self.size)
        reach = self.size[1] * 0.008
        phase = self.sway + len(stay.name)
        y = (top + bottom) / 2 + (
            self.size[1] / 2 - (top + bottom) / 2
        ) * 0.05  # the labels of the hands are at the edges
        return (left + right) / 2 + reach * math.sin(1.3 * time + phase), y + reach * math.cos(1.7 * time + phase)

    def _draw_arm(self, draw: ImageDraw.ImageDraw, hand: Hand, grip: tuple[float, float] | None, side: int) -> None:
        width, height = self.size
        x, y = hand.anchor[0] * width, hand.anchor[1] * height
        if grip is None:  # an idle hand rests near the edge it comes from
            grip = (x + (width / 2 - x) * 0.12, y + (height / 2 - y) * 0.24)
        length = math.hypot(grip[0] - x, grip[1] - y) or 1.0
        knuckle = min(side * 0.42, length * 0.5)
        fist = (grip[0] + (x - grip[0]) / length * knuckle, grip[1] + (y - grip[1]) / length * knuckle)
        arm = round(side * 0.3)
        draw.line([(x, y), fist], fill=INK, width=arm + 3)
        draw.line([(x, y), fist], fill=hand.colour, width=arm)
        turn = math.atan2(grip[1] - y, grip[0] - x)
        for angle in (-1.0, -0.35, 0.35, 1.0):  # four fingers around the grip, then the palm
            tip = (fist[0] + math.cos(turn + angle) * side * 0.3, fist[1] + math.sin(turn + angle) * side * 0.3)
            _disc(draw, tip, side * 0.13, hand.colour)
        _disc(draw, fist, side * 0.27, hand.colour)


def _disc(draw: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, colour: Colour) -> None:
    x, y = centre
    draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colour, outline=INK)


def _flash(draw: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float) -> None:
    points = []
    for index in range(24):
        reach = radius * (1.0 if index % 2 else 0.72)
        angle = index * math.pi / 12
        points.append((centre[0] + reach * math.cos(angle), centre[1] + reach * math.sin(angle)))
    draw.polygon(points, fill=PAPER, outline=INK)
