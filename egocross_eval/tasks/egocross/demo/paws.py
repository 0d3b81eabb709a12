"""What an animal's own camera sees of the animal, at the lower edge: paws, muzzle, beak, flippers."""

from __future__ import annotations

import math
from typing import NamedTuple

from PIL import Image, ImageDraw

from egocross_eval.tasks.egocross.demo.palette import INK, PAPER, Colour, shade


class Animal(NamedTuple):
    """Colour and parts of an animal that films."""

    colour: Colour
    parts: str
    """What is seen of it, in words."""


ANIMALS: dict[str, Animal] = {
    "Cat": Animal((244, 150, 40), "orange paws and whiskers"),
    "Dog": Animal((112, 66, 30), "brown paws and the black nose"),
    "Turtle": Animal((40, 130, 60), "green flippers and the edge of the shell"),
    "Eagle": Animal((250, 210, 30), "yellow hooked beak and the dark wings"),
    "Dolphin": Animal((70, 120, 200), "blue snout and fins"),
    "Goose": Animal((252, 252, 252), "white neck and the flat orange bill"),
}


def draw_animal(image: Image.Image, name: str, *, reaching: bool, time: float) -> None:
    """Draws the parts of the animal; `reaching` moves its limbs up to the thing in the middle."""
    draw = ImageDraw.Draw(image)
    width, height = image.size
    colour = ANIMALS[name].colour
    step = 0.0 if reaching else 0.03 * math.sin(2.3 * time)
    top = 0.6 if reaching else 0.78
    inward = 0.34 if reaching else 0.22
    limbs = ((inward, top + step), (1 - inward, top - step))
    if name in ("Cat", "Dog"):
        _draw_paws(draw, width, height, limbs, colour)
    elif name == "Eagle":
        _draw_wings(draw, width, height, limbs, (66, 62, 70))
    else:
        _draw_flippers(draw, width, height, limbs, shade(colour, 0.94))
    _draw_face(draw, width, height, name, colour)


def _draw_paws(
    draw: ImageDraw.ImageDraw, width: int, height: int, limbs: tuple[tuple[float, float], ...], colour: Colour
) -> None:
    for x, y in limbs:
        foot, radius = (width * x, height * y), height * 0.085
        hip = (width * (0.24 if x < 0.5 else 0.76), height * 1.02)
        draw.line([hip, foot], fill=INK, width=round(radius * 1.5) + 3)
        draw.line([hip, foot], fill=colour, width=round(radius * 1.5))
        draw.ellipse([foot[0] - radius, foot[1] - radius, foot[0] + radius, foot[1] + radius], fill=colour, outline=INK)
        for toe in (-0.6, 0.0, 0.6):
            centre = foot[0] + toe * radius
            draw.ellipse(
                [centre - radius * 0.26, foot[1] - radius * 0.8, centre + radius * 0.26, foot[1] - radius * 0.2],
                fill=shade(colour, 0.6),
            )


def _draw_flippers(
    draw: ImageDraw.ImageDraw, width: int, height: int, limbs: tuple[tuple[float, float], ...], colour: Colour
) -> None:
    for x, y in limbs:
        inwards = 1 if x < 0.5 else -1
        base = 0.18 if x < 0.5 else 0.82
        outline = ((-0.12, 1.0), (-0.04, 0.84), None, (0.04, 0.96), (0.12, 1.0))
        points = [
            (width * x, height * y) if corner is None else (width * (base + inwards * corner[0]), height * corner[1])
            for corner in outline
        ]
        draw.polygon(points, fill=colour, outline=INK)


def _draw_wings(
    draw: ImageDraw.ImageDraw, width: int, height: int, limbs: tuple[tuple[float, float], ...], colour: Colour
) -> None:
    for x, y in limbs:
        edge = 0.0 if x < 0.5 else 1.0
        inner = edge + (x - edge) * 0.8
        draw.polygon(
            [
                (width * edge, height * (y - 0.2)),
                (width * inner, height * (y + 0.1)),
                (width * (edge + (x - edge) * 0.9), height),
                (width * edge, height),
            ],
            fill=colour,
            outline=INK,
        )


def _draw_face(draw: ImageDraw.ImageDraw, width: int, height: int, name: str, colour: Colour) -> None:
    def box(left: float, top: float, right: float, bottom: float) -> list[float]:
        return [width * left, height * top, width * right, height * bottom]

    if name == "Cat":
        draw.ellipse(box(0.36, 0.8, 0.64, 1.14), fill=colour, outline=INK)
        draw.polygon(
            [(width * 0.47, height * 0.83), (width * 0.53, height * 0.83), (width * 0.5, height * 0.88)],
            fill=(236, 130, 140),
        )
        for side in (-1, 1):
            for lift in (-0.04, 0.0, 0.04):
                draw.line(
                    [
                        (width * (0.5 + side * 0.06), height * 0.89),
                        (width * (0.5 + side * 0.24), height * (0.88 + lift)),
                    ],
                    fill=PAPER,
                    width=max(1, height // 110),
                )
    elif name == "Dog":
        draw.ellipse(box(0.34, 0.76, 0.66, 1.16), fill=colour, outline=INK)
        draw.ellipse(box(0.43, 0.77, 0.57, 0.89), fill=INK)
    elif name == "Turtle":
        draw.ellipse(box(0.2, 0.86, 0.8, 1.3), fill=(96, 84, 44), outline=INK)
        draw.ellipse(box(0.4, 0.76, 0.6, 1.0), fill=colour, outline=INK)
    elif name == "Eagle":
        draw.polygon(
            [
                (width * 0.4, height),
                (width * 0.42, height * 0.8),
                (width * 0.5, height * 0.74),
                (width * 0.58, height * 0.8),
                (width * 0.6, height),
            ],
            fill=colour,
            outline=INK,
        )
        draw.polygon(
            [(width * 0.46, height * 0.76), (width * 0.54, height * 0.76), (width * 0.5, height * 0.66)],
            fill=shade(colour, 0.7),
            outline=INK,
        )
    elif name == "Dolphin":
        draw.ellipse(box(0.3, 0.84, 0.7, 1.24), fill=colour, outline=INK)
        draw.ellipse(box(0.43, 0.68, 0.57, 1.0), fill=shade(colour, 1.1), outline=INK)
    else:
        draw.ellipse(box(0.36, 0.84, 0.64, 1.2), fill=colour, outline=INK)
        draw.ellipse(box(0.42, 0.7, 0.58, 0.94), fill=(255, 138, 0), outline=INK)
