"""Backgrounds: dull, so that the things stand out, and different for every source video."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageDraw

from egocross_eval.tasks.egocross.demo.palette import Colour, shade
from egocross_eval.tasks.egocross.demo.shots import seeded


@lru_cache(maxsize=16)
def blotched(size: tuple[int, int], base: Colour, look: str) -> Image.Image:
    """Stains on `base`, as tissue or cloth has them. Flat, so that PNG files stay small."""
    rng = seeded("blotched", look)
    tone = rng.uniform(0.88, 1.06)
    image = Image.new("RGB", size, shade(base, tone))
    draw = ImageDraw.Draw(image)
    width, height = size
    for _ in range(9):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        across, down = rng.uniform(0.12, 0.3) * width, rng.uniform(0.12, 0.3) * height
        draw.ellipse([x - across, y - down, x + across, y + down], fill=shade(base, tone * rng.uniform(0.9, 1.1)))
    return image


@lru_cache(maxsize=16)
def benched(size: tuple[int, int], base: Colour, look: str) -> Image.Image:
    """A work surface of `base` with planks and a cutting mat."""
    rng = seeded("benched", look)
    tone = rng.uniform(0.86, 1.06)
    image = Image.new("RGB", size, shade(base, tone))
    draw = ImageDraw.Draw(image)
    width, height = size
    planks = rng.randint(4, 6)
    for index in range(planks):
        top = height * index / planks
        draw.rectangle([0, top, width, height * (index + 1) / planks], fill=shade(base, tone * rng.uniform(0.92, 1.06)))
        draw.line([(0, top), (width, top)], fill=shade(base, tone * 0.8))
    inset = rng.uniform(0.06, 0.12)
    draw.rectangle(
        [width * inset, height * inset, width * (1 - inset), height * (1 - inset)], fill=shade((116, 122, 124), tone)
    )
    return image
