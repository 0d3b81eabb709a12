"""Colours of the demo: eight saturated hues that stay apart in a 64-pixel frame for things, and greys for the rest."""

from __future__ import annotations

from collections.abc import Iterable

Colour = tuple[int, int, int]
"""Red, green, blue, each 0 to 255."""

HUES: dict[str, Colour] = {
    "red": (222, 32, 38),
    "orange": (255, 138, 0),
    "yellow": (250, 216, 20),
    "green": (22, 158, 54),
    "cyan": (0, 204, 224),
    "blue": (34, 70, 232),
    "purple": (142, 42, 206),
    "pink": (255, 88, 178),
}
"""Each thing of a domain has one of these and a shape of its own; nothing else in a frame is as saturated."""


def hues_in_order(names: Iterable[str], first: int = 0) -> dict[str, str]:
    """A hue for each name: the hues in their own order, from the `first` on, for the names in alphabetical order.

    The same hue thus stands at about the same place of a sorted list of options whatever the question is about. Small
    models find out what colours mean from that, with all kinds of questions together.
    """
    return dict(zip(sorted(names), list(HUES)[first:], strict=False))


INK: Colour = (24, 24, 28)
PAPER: Colour = (246, 246, 242)
FADED: Colour = (168, 168, 168)


def shade(colour: Colour, factor: float) -> Colour:
    """`colour` made darker (factor below 1) or lighter (above 1), clipped."""
    red, green, blue = (max(0, min(255, round(channel * factor))) for channel in colour)
    return red, green, blue
