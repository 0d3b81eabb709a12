"""The world from a helmet camera: slope, water, trail, roof or sky, tilted and bent by what the athlete does."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from PIL import Image, ImageDraw

from egocross_eval.tasks.egocross.demo.palette import HUES, INK, PAPER, Colour, hues_in_order, shade
from egocross_eval.tasks.egocross.demo.shots import seeded
from egocross_eval.tasks.egocross.demo.sprites import font, stamp


class Sport(NamedTuple):
    """The colours of a sport's surroundings and its gear."""

    sky: Colour
    land: Colour
    way: Colour
    gear: str


SPORTS: dict[str, Sport] = {
    "Skiing": Sport((150, 196, 236), (250, 250, 252), (206, 222, 240), "skis"),
    "Jetski": Sport((214, 228, 236), (40, 96, 190), (150, 206, 236), "handlebar"),
    "Mountain Bike": Sport((190, 214, 220), (58, 104, 50), (146, 100, 62), "handlebar"),
    "Parkour": Sport((244, 190, 130), (104, 104, 112), (158, 156, 156), "shoes"),
    "Speedflying": Sport((96, 150, 226), (170, 176, 110), (204, 196, 150), "canopy"),
}

DIRECTIONS: dict[str, str] = hues_in_order(("Curveleft", "Curveright", "Forward", "Left", "Leftright", "Right"))
"""Hue of the sign of each direction of movement."""

TRICKS: dict[str, str] = hues_in_order(("Climb", "Flip", "Fly", "Jump", "Roll", "Spin", "Vault"))
"""Hue of the sign of each special action."""

# Course of the way in front of the camera: (distance 0 near .. 1 far, sideways shift in widths).
_COURSES: dict[str, tuple[tuple[float, float], ...]] = {
    "Forward": ((0.0, 0.0), (0.5, 0.0), (1.0, 0.0)),
    "Left": ((0.0, 0.0), (0.5, 0.0), (0.6, 0.0)),
    "Right": ((0.0, 0.0), (0.5, 0.0), (0.6, 0.0)),
    "Curveleft": ((0.0, 0.06), (0.3, 0.04), (0.6, -0.06), (0.85, -0.2), (1.0, -0.36)),
    "Curveright": ((0.0, -0.06), (0.3, -0.04), (0.6, 0.06), (0.85, 0.2), (1.0, 0.36)),
    "Leftright": ((0.0, 0.0), (0.2, -0.14), (0.42, -0.2), (0.64, 0.0), (0.82, 0.16), (1.0, 0.2)),
}
_BANK = {"Left": 16, "Right": -16, "Curveleft": 7, "Curveright": -7}
"""Degrees by which the camera leans into a turn."""


def ride_picture(
    size: tuple[int, int], sport: str, look: str, action: str, sign: str | None, ahead: str | None, beat: float
) -> Image.Image:
    """One frame.

    `action` is what the athlete does, `sign` the marshal's board that names it (None: no board), `ahead` the direction
    that a road sign and the bend in front announce. `beat` varies small things from frame to frame.
    """
    world = _world(size, sport, look, action, ahead, beat)
    draw = ImageDraw.Draw(world)
    if action == "Vault":
        _draw_block(draw, size)
    elif action != "Climb":
        _draw_gear(draw, size, SPORTS[sport])
    if action == "Spin":
        _draw_whirl(draw, size, beat)
    if ahead is not None:
        _stamp_sign(world, ahead, (0.5, 0.34), 0.34)
    if sign is not None:
        _stamp_sign(world, sign, (0.83, 0.22), 0.38)
    return world


def _world(size: tuple[int, int], sport: str, look: str, action: str, ahead: str | None, beat: float) -> Image.Image:
    course = action if action in _COURSES else "Forward"
    horizon = {"Jump": 0.78, "Fly": 0.97, "Climb": 0.12}.get(action, 0.42)
    if action == "Climb":
        return _wall(size, SPORTS[sport], look, beat)
    image = _landscape(size, sport, look, horizon).copy()
    if action != "Fly":
        _draw_way(image, SPORTS[sport].way, ahead or course, horizon, beat)
    if action == "Flip":
        return image.transpose(Image.Transpose.ROTATE_180)
    if action == "Roll":
        return image.transpose(Image.Transpose.ROTATE_90).resize(size, Image.Resampling.BILINEAR)
    lean = _BANK.get(course, 0)
    return _tilted(image, lean) if lean else image


def _tilted(image: Image.Image, degrees: float) -> Image.Image:
    width, height = image.size
    turn = math.radians(abs(degrees))
    zoom = math.cos(turn) + max(width / height, height / width) * math.sin(turn)
    large = image.resize((round(width * zoom), round(height * zoom)), Image.Resampling.BILINEAR)
    turned = large.rotate(degrees, Image.Resampling.BILINEAR)
    left, top = (large.width - width) // 2, (large.height - height) // 2
    return turned.crop((left, top, left + width, top + height))


@lru_cache(maxsize=64)
def _landscape(size: tuple[int, int], sport: str, look: str, horizon: float) -> Image.Image:
    """Sky and land with hills, trees, waves or houses by the way; one source video always has the same."""
    rng = seeded("landscape", look)
    kind = SPORTS[sport]
    width, height = size
    tone = rng.uniform(0.92, 1.05)
    image = Image.new("RGB", size, shade(kind.sky, tone))
    draw = ImageDraw.Draw(image)
    edge = height * horizon
    for _ in range(3):
        x, y = rng.uniform(0, width), rng.uniform(0.05, 0.3) * height
        across = rng.uniform(0.06, 0.14) * width
        draw.ellipse([x - across, y - across / 3, x + across, y + across / 3], fill=PAPER)
    draw.rectangle([0, edge, width, height], fill=shade(kind.land, tone))
    for _ in range(7):
        x, reach = rng.uniform(0, width), rng.uniform(0.05, 0.12)
        y = edge + rng.uniform(0.0, 0.05) * height
        colour = shade(kind.land, tone * rng.uniform(0.7, 0.9))
        if sport == "Parkour":
            draw.rectangle([x - reach * width / 2, y - reach * height * 2, x + reach * width / 2, y], fill=colour)
        elif sport == "Jetski":
            draw.line(
                [(x, y + reach * height), (x + reach * width, y + reach * height)],
                fill=PAPER,
                width=max(1, height // 90),
            )
        else:
            top = y - reach * height * (2.2 if sport == "Mountain Bike" else 1.3)
            draw.polygon([(x - reach * width / 2, y), (x, top), (x + reach * width / 2, y)], fill=colour)
    return image


def _draw_way(image: Image.Image, colour: Colour, course: str, horizon: float, beat: float) -> None:
    """The way ahead in perspective, with marks across it that move with the speed."""
    draw = ImageDraw.Draw(image)
    width, height = image.size
    edge = height * horizon
    left, right, marks = [], [], []
    for (near, start), (far, stop) in pairwise(_COURSES[course]):
        for part in range(6):
            distance = near + (far - near) * part / 5
            y = height - (height - edge) * distance
            half = width * (0.26 * (1 - distance) ** 1.2 + 0.035)
            centre = width * (0.5 + start + (stop - start) * part / 5)
            left.append((centre - half, y))
            right.append((centre + half, y))
            if distance < 0.5:
                marks.append((centre, half, y, distance))
    draw.polygon(left + right[::-1], fill=colour, outline=shade(colour, 0.6))
    if course in ("Left", "Right"):  # the sharp bend: the way goes on across the picture
        inner, outer = (right[-1], 0) if course == "Left" else (left[-1], width)
        corner = height - (height - edge) * 0.38
        side = [inner, (outer, inner[1]), (outer, corner + (corner - inner[1]) * 0.3), (width / 2, corner)]
        draw.polygon(side, fill=colour, outline=shade(colour, 0.6))
    for centre, half, y, distance in marks[round(beat) % 3 :: 3]:
        thickness = max(1, round(height * 0.02 * (1 - distance)))
        draw.line([(centre - half * 0.5, y), (centre + half * 0.5, y)], fill=shade(colour, 0.75), width=thickness)


def _wall(size: tuple[int, int], kind: Sport, look: str, beat: float) -> Image.Image:
    """A wall of blocks right in front, with two hands on it."""
    width, height = size
    image = Image.new("RGB", size, shade(kind.sky, 1.0))
    draw = ImageDraw.Draw(image)
    rng = seeded("wall", look)
    stone = shade((140, 128, 118), rng.uniform(0.85, 1.1))
    joints = rng.uniform(0.0, 1.0)
    top = height * 0.12
    draw.rectangle([0, top, width, height], fill=stone)
    step = height / 6
    for row in range(6):
        y = top + row * step - (beat * 5) % step / 2
        draw.line([(0, y), (width, y)], fill=shade(stone, 0.6), width=max(1, height // 100))
        for column in range(7):
            x = (column + row % 2 / 2 - joints) * width / 5
            draw.line([(x, y), (x, y + step)], fill=shade(stone, 0.6), width=max(1, height // 100))
    for x, y in ((0.34, 0.36), (0.58, 0.52)):
        radius = height * 0.09
        draw.line([(width * x, height), (width * x, height * y)], fill=(70, 60, 70), width=round(radius))
        draw.ellipse(
            [width * x - radius, height * y - radius, width * x + radius, height * y + radius],
            fill=(228, 190, 160),
            outline=INK,
        )
    return image


def _draw_block(draw: ImageDraw.ImageDraw, size: tuple[int, int]) -> None:
    """The obstacle of a vault, with two hands on its top."""
    width, height = size
    draw.rectangle([width * 0.22, height * 0.52, width * 0.78, height], fill=(150, 120, 92), outline=INK, width=2)
    draw.polygon(
        [
            (width * 0.22, height * 0.52),
            (width * 0.3, height * 0.42),
            (width * 0.7, height * 0.42),
            (width * 0.78, height * 0.52),
        ],
        fill=(186, 156, 124),
        outline=INK,
    )
    for x in (0.36, 0.64):
        radius = height * 0.075
        draw.line([(width * x, height), (width * x, height * 0.5)], fill=(70, 60, 70), width=round(radius))
        draw.ellipse(
            [width * x - radius, height * 0.47 - radius, width * x + radius, height * 0.47 + radius],
            fill=(228, 190, 160),
            outline=INK,
        )


def _draw_whirl(draw: ImageDraw.ImageDraw, size: tuple[int, int], beat: float) -> None:
    """Streaks around the middle of the picture."""
    width, height = size
    for index in range(4):
        radius = height * (0.14 + 0.1 * index)
        start = 40 * index + 25 * beat
        box = [width / 2 - radius * 1.4, height / 2 - radius, width / 2 + radius * 1.4, height / 2 + radius]
        draw.arc(box, start, start + 250, fill=PAPER if index % 2 else (70, 70, 80), width=max(2, height // 45))


def _draw_gear(draw: ImageDraw.ImageDraw, size: tuple[int, int], kind: Sport) -> None:
    """What the athlete rides or wears, at the lower or upper edge."""
    width, height = size
    thick = max(2, height // 28)
    if kind.gear == "skis":
        for x, lean in ((0.4, -0.03), (0.6, 0.03)):
            draw.line([(width * x, height), (width * (x + lean), height * 0.72)], fill=(190, 60, 60), width=thick * 2)
    elif kind.gear == "handlebar":
        draw.line([(width * 0.22, height * 0.9), (width * 0.78, height * 0.9)], fill=INK, width=thick)
        for x in (0.22, 0.78):
            draw.line(
                [(width * x, height * 0.88), (width * (x + (0.07 if x < 0.5 else -0.07)), height * 0.9)],
                fill=(70, 70, 76),
                width=thick * 2,
            )
        draw.line([(width * 0.5, height), (width * 0.5, height * 0.88)], fill=INK, width=thick)
    elif kind.gear == "shoes":
        for x in (0.4, 0.6):
            draw.ellipse(
                [width * (x - 0.05), height * 0.84, width * (x + 0.05), height * 1.02],
                fill=(60, 60, 110),
                outline=PAPER,
            )
    else:
        draw.chord([width * 0.08, -height * 0.22, width * 0.66, height * 0.2], 0, 180, fill=(214, 60, 160), outline=INK)
        for x in (0.16, 0.37, 0.58):
            draw.line([(width * x, height * 0.1), (width * 0.5, height)], fill=INK, width=max(1, thick // 4))


def _stamp_sign(image: Image.Image, name: str, centre: tuple[float, float], share: float) -> None:
    width, height = image.size
    picture = _sign(name, round(height * share))
    stamp(image, picture, (centre[0] * width, centre[1] * height))


@lru_cache(maxsize=128)
def _sign(name: str, height: int) -> Image.Image:
    """A board in the hue of a direction (square, with an arrow) or trick (round, with a pictogram), named below."""
    hue = HUES[DIRECTIONS.get(name) or TRICKS[name]]
    zoom = 3
    board = round(height * 0.76) * zoom
    image = Image.new("RGBA", (board, board))
    draw = ImageDraw.Draw(image)
    frame = [0, 0, board - 1, board - 1]
    if name in DIRECTIONS:
        draw.rounded_rectangle(frame, radius=board // 8, fill=(*hue, 255), outline=(*INK, 255), width=board // 24)
    else:
        draw.ellipse(frame, fill=(*hue, 255), outline=(*INK, 255), width=board // 24)
    path = [(x * board, y * board) for x, y in _ARROWS[name]]
    draw.line(path, fill=(*PAPER, 255), width=board // 9, joint="curve")
    (fromx, fromy), (tox, toy) = path[-2:]
    turn = math.atan2(toy - fromy, tox - fromx)
    head = board * 0.2
    draw.polygon(
        [(tox + head * math.cos(turn + angle), toy + head * math.sin(turn + angle)) for angle in (0.0, 2.1, -2.1)],
        fill=(*PAPER, 255),
    )
    side = round(height * 0.76)
    small = image.resize((side, side), Image.Resampling.BOX)
    label_height = height - side
    face = font(round(label_height * 0.8))
    left, _, right, _ = face.getbbox(name)
    width = max(side, round(right - left) + 6)
    whole = Image.new("RGBA", (width, height))
    whole.paste(small, ((width - side) // 2, 0))
    letters = ImageDraw.Draw(whole)
    letters.rectangle([0, side, width - 1, height - 1], fill=(*INK, 255))
    letters.text((width / 2, side + label_height / 2), name, fill=(*PAPER, 255), font=face, anchor="mm")
    return whole


def _loop(turns: float, start: float) -> tuple[tuple[float, float], ...]:
    return tuple(
        (
            0.5 + 0.24 * math.cos(start + turns * math.tau * part / 16),
            0.5 + 0.24 * math.sin(start + turns * math.tau * part / 16),
        )
        for part in range(17)
    )


_ARROWS: dict[str, tuple[tuple[float, float], ...]] = {
    "Left": ((0.68, 0.82), (0.68, 0.42), (0.34, 0.42)),
    "Right": ((0.32, 0.82), (0.32, 0.42), (0.66, 0.42)),
    "Curveleft": ((0.7, 0.84), (0.66, 0.6), (0.56, 0.42), (0.38, 0.28)),
    "Curveright": ((0.3, 0.84), (0.34, 0.6), (0.44, 0.42), (0.62, 0.28)),
    "Forward": ((0.5, 0.84), (0.5, 0.36)),
    "Leftright": ((0.36, 0.86), (0.32, 0.66), (0.4, 0.54), (0.6, 0.48), (0.66, 0.34)),
    "Jump": ((0.2, 0.7), (0.34, 0.4), (0.5, 0.3), (0.66, 0.4), (0.76, 0.62)),
    "Fly": ((0.16, 0.66), (0.44, 0.52), (0.74, 0.34)),
    "Spin": _loop(0.85, 0.6),
    "Climb": ((0.34, 0.8), (0.34, 0.56), (0.62, 0.56), (0.62, 0.3)),
    "Flip": _loop(-0.85, 1.6),
    "Vault": ((0.18, 0.72), (0.36, 0.72), (0.42, 0.36), (0.6, 0.36), (0.72, 0.66)),
    "Roll": _loop(0.7, 3.1),
}
