"""Silhouettes of the demo's things, as a few bold primitives on the unit square (x to the right, y downwards).

A shape has a body, filled with the thing's hue, and details on top in ink. Bodies fill most of the square, so that the
hue survives when a frame is scaled down to 64 pixels.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["polygon", "ellipse", "line"]


class Primitive(NamedTuple):
    """One filled polygon, filled ellipse (two corners of its box) or thick line (`width` of the unit square)."""

    kind: Kind
    points: tuple[tuple[float, float], ...]
    width: float = 0.0


class Shape(NamedTuple):
    """A silhouette: body in the thing's hue, details in ink."""

    body: tuple[Primitive, ...]
    details: tuple[Primitive, ...] = ()


def _polygon(*points: tuple[float, float]) -> Primitive:
    return Primitive("polygon", points)


def _ellipse(left: float, top: float, right: float, bottom: float) -> Primitive:
    return Primitive("ellipse", ((left, top), (right, bottom)))


def _box(left: float, top: float, right: float, bottom: float) -> Primitive:
    return _polygon((left, top), (right, top), (right, bottom), (left, bottom))


def _line(width: float, *points: tuple[float, float]) -> Primitive:
    return Primitive("line", points, width)


SURGERY: dict[str, Shape] = {
    "grasper": Shape(
        (
            _polygon((0.38, 0.45), (0.1, 0.1), (0.34, 0.05), (0.5, 0.3), (0.66, 0.05), (0.9, 0.1), (0.62, 0.45)),
            _box(0.36, 0.4, 0.64, 0.97),
        ),
        (_line(0.06, (0.36, 0.56), (0.64, 0.56)),),
    ),
    "hook": Shape(
        (
            _line(0.28, (0.7, 0.04), (0.7, 0.7)),
            _ellipse(0.14, 0.42, 0.84, 0.98),
            _polygon((0.14, 0.5), (0.14, 0.7), (0.4, 0.7)),
        ),
        (_ellipse(0.38, 0.46, 0.58, 0.72),),
    ),
    "clipper": Shape(
        (_box(0.08, 0.08, 0.4, 0.6), _box(0.6, 0.08, 0.92, 0.6), _box(0.08, 0.5, 0.92, 0.94)),
        (_line(0.06, (0.2, 0.72), (0.8, 0.72)),),
    ),
    "bipolar": Shape(
        (
            _line(0.24, (0.16, 0.06), (0.42, 0.6)),
            _line(0.24, (0.84, 0.06), (0.58, 0.6)),
            _ellipse(0.22, 0.46, 0.78, 0.98),
        ),
        (_ellipse(0.42, 0.64, 0.58, 0.8),),
    ),
    "irrigator": Shape(
        (_polygon((0.5, 0.02), (0.86, 0.6), (0.14, 0.6)), _ellipse(0.12, 0.36, 0.88, 0.98)),
        (_line(0.07, (0.3, 0.68), (0.42, 0.84)),),
    ),
    "scissors": Shape(
        (
            _line(0.2, (0.2, 0.05), (0.68, 0.72)),
            _line(0.2, (0.8, 0.05), (0.32, 0.72)),
            _ellipse(0.06, 0.56, 0.46, 0.98),
            _ellipse(0.54, 0.56, 0.94, 0.98),
        ),
        (_ellipse(0.18, 0.69, 0.34, 0.86), _ellipse(0.66, 0.69, 0.82, 0.86)),
    ),
    "specimen-bag": Shape(
        (_polygon((0.1, 0.12), (0.9, 0.12), (0.8, 0.94), (0.2, 0.94)),),
        (_line(0.07, (0.14, 0.28), (0.86, 0.28)), _line(0.05, (0.5, 0.12), (0.5, 0.28))),
    ),
    "Forceps": Shape(
        (_polygon((0.05, 0.1), (0.3, 0.05), (0.5, 0.55), (0.7, 0.05), (0.95, 0.1), (0.66, 0.97), (0.34, 0.97)),),
        (_line(0.05, (0.4, 0.75), (0.6, 0.75)),),
    ),
    "Gauze": Shape(
        (_box(0.08, 0.08, 0.92, 0.92),),
        tuple(_line(0.04, (a, 0.08), (a, 0.92)) for a in (0.3, 0.5, 0.7))
        + tuple(_line(0.04, (0.08, a), (0.92, a)) for a in (0.3, 0.5, 0.7)),
    ),
    "Syringe": Shape(
        (_line(0.36, (0.5, 0.16), (0.5, 0.74)), _line(0.12, (0.5, 0.02), (0.5, 0.98)), _box(0.2, 0.06, 0.8, 0.2)),
        tuple(_line(0.04, (0.4, y), (0.6, y)) for y in (0.35, 0.48, 0.61)),
    ),
    "Scalpel": Shape(
        (_polygon((0.2, 0.96), (0.2, 0.5), (0.56, 0.02), (0.84, 0.02), (0.8, 0.5), (0.5, 0.96)),),
        (_line(0.05, (0.2, 0.54), (0.78, 0.54)),),
    ),
    "Tweezers": Shape(
        (_line(0.2, (0.24, 0.06), (0.36, 0.9)), _line(0.2, (0.76, 0.06), (0.64, 0.9)), _box(0.26, 0.74, 0.74, 0.98)), ()
    ),
}

SURGERY |= {  # the same tools under the names that EgoSurgery gives them
    "Hook": SURGERY["hook"],
    "Scissors": SURGERY["scissors"],
    "Bipolar Forceps": SURGERY["bipolar"],
}

INDUSTRY: dict[str, Shape] = {
    "battery": Shape(
        (_box(0.04, 0.22, 0.86, 0.82), _box(0.84, 0.4, 0.97, 0.64)),
        (
            _line(0.07, (0.18, 0.52), (0.38, 0.52)),
            _line(0.07, (0.28, 0.42), (0.28, 0.62)),
            _line(0.07, (0.58, 0.52), (0.76, 0.52)),
        ),
    ),
    "battery connector": Shape(
        (
            _box(0.2, 0.36, 0.8, 0.74),
            _line(0.16, (0.34, 0.06), (0.34, 0.5)),
            _line(0.16, (0.66, 0.06), (0.66, 0.5)),
            _line(0.2, (0.5, 0.7), (0.5, 0.97)),
        ),
        (),
    ),
    "board": Shape(
        (_box(0.04, 0.14, 0.96, 0.86),),
        (
            _box(0.36, 0.36, 0.64, 0.64),
            _line(0.04, (0.14, 0.28), (0.3, 0.28)),
            _line(0.04, (0.7, 0.74), (0.88, 0.74)),
            _line(0.04, (0.14, 0.74), (0.3, 0.74)),
        ),
    ),
    "button": Shape((_ellipse(0.06, 0.06, 0.94, 0.94),), (_ellipse(0.4, 0.4, 0.6, 0.6),)),
    "electric screwdriver": Shape(
        (
            _box(0.06, 0.12, 0.76, 0.44),
            _line(0.12, (0.74, 0.28), (0.99, 0.28)),
            _polygon((0.12, 0.4), (0.46, 0.4), (0.4, 0.97), (0.08, 0.97)),
        ),
        (_line(0.06, (0.46, 0.48), (0.42, 0.6)),),
    ),
    "oscilloscope": Shape(
        (_box(0.03, 0.12, 0.97, 0.9),),
        (
            _line(0.06, (0.12, 0.5), (0.26, 0.28), (0.42, 0.7), (0.56, 0.28), (0.66, 0.5)),
            _ellipse(0.76, 0.24, 0.9, 0.38),
            _ellipse(0.76, 0.56, 0.9, 0.7),
        ),
    ),
    "power supply": Shape(
        (_box(0.08, 0.06, 0.92, 0.96),),
        (_polygon((0.56, 0.18), (0.3, 0.56), (0.48, 0.56), (0.4, 0.86), (0.7, 0.44), (0.52, 0.44)),),
    ),
    "screwdriver": Shape(
        (_line(0.56, (0.5, 0.02), (0.5, 0.56)), _line(0.28, (0.5, 0.52), (0.5, 0.98))),
        (_line(0.05, (0.4, 0.12), (0.4, 0.46)), _line(0.05, (0.6, 0.12), (0.6, 0.46))),
    ),
}

ANIMAL: dict[str, Shape] = {
    "Ball": Shape(
        (_ellipse(0.04, 0.04, 0.96, 0.96),),
        (_line(0.05, (0.06, 0.5), (0.94, 0.5)), _line(0.05, (0.5, 0.06), (0.5, 0.94))),
    ),
    "Bench": Shape(
        (
            _box(0.02, 0.1, 0.98, 0.42),
            _box(0.02, 0.5, 0.98, 0.7),
            _box(0.1, 0.4, 0.24, 0.96),
            _box(0.76, 0.4, 0.9, 0.96),
        ),
        (_line(0.04, (0.04, 0.26), (0.96, 0.26)),),
    ),
    "Bird": Shape(
        (
            _ellipse(0.16, 0.3, 0.76, 0.84),
            _ellipse(0.56, 0.1, 0.9, 0.46),
            _polygon((0.86, 0.22), (1.0, 0.3), (0.86, 0.36)),
            _polygon((0.24, 0.5), (0.0, 0.24), (0.02, 0.72)),
        ),
        (_ellipse(0.72, 0.2, 0.8, 0.28), _line(0.05, (0.3, 0.5), (0.56, 0.6))),
    ),
    "Door": Shape(
        (_box(0.16, 0.02, 0.84, 0.98),),
        (
            _ellipse(0.66, 0.48, 0.76, 0.58),
            _line(0.04, (0.28, 0.12), (0.72, 0.12), (0.72, 0.42), (0.28, 0.42), (0.28, 0.12)),
        ),
    ),
    "Person": Shape(
        (
            _ellipse(0.34, 0.0, 0.66, 0.32),
            _polygon((0.28, 0.32), (0.72, 0.32), (0.66, 0.66), (0.34, 0.66)),
            _line(0.16, (0.32, 0.38), (0.1, 0.64)),
            _line(0.16, (0.68, 0.38), (0.9, 0.64)),
            _line(0.18, (0.42, 0.62), (0.34, 0.98)),
            _line(0.18, (0.58, 0.62), (0.66, 0.98)),
        ),
        (_ellipse(0.42, 0.12, 0.47, 0.17), _ellipse(0.53, 0.12, 0.58, 0.17)),
    ),
    "Plastic": Shape(
        (
            _polygon((0.12, 0.34), (0.88, 0.34), (0.96, 0.98), (0.04, 0.98)),
            _line(0.14, (0.28, 0.4), (0.26, 0.04)),
            _line(0.14, (0.72, 0.4), (0.74, 0.04)),
        ),
        (
            _line(0.05, (0.3, 0.56), (0.3, 0.86)),
            _line(0.05, (0.5, 0.56), (0.5, 0.86)),
            _line(0.05, (0.7, 0.56), (0.7, 0.86)),
        ),
    ),
    "Toy": Shape(
        (
            _ellipse(0.1, 0.02, 0.38, 0.3),
            _ellipse(0.62, 0.02, 0.9, 0.3),
            _ellipse(0.16, 0.06, 0.84, 0.6),
            _ellipse(0.22, 0.5, 0.78, 0.98),
        ),
        (_ellipse(0.34, 0.24, 0.42, 0.32), _ellipse(0.58, 0.24, 0.66, 0.32), _ellipse(0.44, 0.38, 0.56, 0.46)),
    ),
    "Vehicle": Shape(
        (
            _polygon((0.22, 0.46), (0.34, 0.16), (0.72, 0.16), (0.84, 0.46)),
            _box(0.02, 0.44, 0.98, 0.76),
            _ellipse(0.12, 0.62, 0.36, 0.9),
            _ellipse(0.64, 0.62, 0.88, 0.9),
        ),
        (_ellipse(0.18, 0.68, 0.3, 0.82), _ellipse(0.7, 0.68, 0.82, 0.82), _box(0.36, 0.24, 0.7, 0.42)),
    ),
}
