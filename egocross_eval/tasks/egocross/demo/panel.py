"""The plan on the wall: a panel of three steps, done, current and next, from which the next step can be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from egocross_eval.tasks.egocross.demo.palette import FADED, INK, PAPER, Colour
from egocross_eval.tasks.egocross.demo.sprites import font, silhouette, stamp, tag
from egocross_eval.tasks.egocross.demo.tabletop import Tabletop, Thing


class Step(NamedTuple):
    """One row of the plan."""

    thing: Thing
    lines: tuple[str, ...]
    """What the row says, one or two short lines."""
    dark: bool = False
    """True for a row on dark ground (the letting go of a thing)."""


@dataclass(frozen=True, slots=True)
class PlannedScene:
    """A tabletop on the left and the plan on the right; the plan doesn't change within a clip."""

    table: Tabletop
    plan: Image.Image

    def draw(self, time: float) -> Image.Image:
        """The RGB picture at `time`."""
        left = self.table.draw(time)
        image = Image.new("RGB", (left.width + self.plan.width, left.height))
        image.paste(left, (0, 0))
        image.paste(self.plan, (left.width, 0))
        return image


def plan_picture(size: tuple[int, int], done: Step, current: Step, following: Step) -> Image.Image:
    """The plan, `size` pixels: the first step grey with a tick, the current one framed with an arrow, then the next."""
    width, height = size
    image = Image.new("RGB", size, (92, 94, 98))
    draw = ImageDraw.Draw(image)
    head = round(height * 0.07)
    stamp(image, tag("plan", head, INK, PAPER), (width / 2, head / 2 + 1))
    gap = height * 0.012
    row_height = (height - head - gap) / 3
    for index, step in enumerate((done, current, following)):
        top = head + gap + index * row_height
        box = (gap, top, width - gap, top + row_height - gap)
        _draw_row(image, draw, step, box, ("done", "now", "")[index])
    return image


def _draw_row(
    image: Image.Image, draw: ImageDraw.ImageDraw, step: Step, box: tuple[float, float, float, float], state: str
) -> None:
    left, top, right, bottom = box
    paper: Colour = FADED if state == "done" else (58, 58, 64) if step.dark else PAPER
    ink: Colour = PAPER if step.dark and state != "done" else INK
    high = bottom - top
    margin = high * 0.05
    draw.rectangle(box, fill=paper, outline=INK, width=max(1, round(high * (0.04 if state == "now" else 0.01))))
    text_height = high * 0.17
    side = round(high - 2 * text_height - 2.5 * margin)
    middle = (left + right) / 2
    colour = (130, 130, 130) if state == "done" else step.thing.colour
    stamp(image, silhouette(step.thing.shape, colour, side), (middle, top + margin + side / 2))
    for index, line in enumerate(step.lines):
        baseline = bottom - margin - text_height * (len(step.lines) - index - 0.5)
        draw.text(
            (middle, baseline),
            line,
            fill=ink,
            font=_fitting(line, text_height * 0.86, right - left - margin),
            anchor="mm",
        )
    mark = high * 0.16
    x, y = left + 2 * margin, top + margin + side / 2
    if state == "now":
        draw.polygon([(x, y - mark), (x + 1.6 * mark, y), (x, y + mark)], fill=ink)
    elif state == "done":
        tick = [(x, y), (x + mark * 0.6, y + mark * 0.7), (x + mark * 1.7, y - mark)]
        draw.line(tick, fill=ink, width=max(2, round(mark / 3)))


def _fitting(line: str, height: float, width: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font `height` pixels high, or lower where `line` would be wider than `width`."""
    face = font(round(height))
    left, _, right, _ = face.getbbox(line)
    return face if right - left <= width else font(int(height * width / (right - left)))
