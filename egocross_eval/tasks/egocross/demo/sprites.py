"""Pictures of single things: a silhouette in its hue with a dark rim, and a name tag, drawn once and kept."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from egocross_eval.tasks.egocross.demo.palette import INK, PAPER, Colour
from egocross_eval.tasks.egocross.demo.shapes import Primitive, Shape

_OVERSAMPLING = 3
"""Silhouettes are drawn this many times larger and scaled down, for smooth edges."""


@lru_cache(maxsize=64)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font at `size` pixels: the same on every machine."""
    return ImageFont.load_default(max(4, size))


def _trace(draw: ImageDraw.ImageDraw, primitives: tuple[Primitive, ...], offset: float, side: float, fill: int) -> None:
    for kind, points, width in primitives:
        placed = [(offset + x * side, offset + y * side) for x, y in points]
        if kind == "polygon":
            draw.polygon(placed, fill=fill)
        elif kind == "ellipse":
            draw.ellipse([*placed[0], *placed[1]], fill=fill)
        else:
            thickness = max(1, round(width * side))
            draw.line(placed, fill=fill, width=thickness, joint="curve")


@lru_cache(maxsize=1024)
def silhouette(shape: Shape, colour: Colour, side: int) -> Image.Image:
    """RGBA picture of `shape`, `side` pixels high and wide."""
    large = side * _OVERSAMPLING
    rim = max(2, large // 24)
    inner = large - 2 * rim
    body = Image.new("L", (large, large))
    _trace(ImageDraw.Draw(body), shape.body, rim, inner, 255)
    details = Image.new("L", (large, large))
    _trace(ImageDraw.Draw(details), shape.details, rim, inner, 255)
    picture = Image.new("RGBA", (large, large), (*INK, 0))
    picture.putalpha(body.filter(ImageFilter.BoxBlur(rim / 2)).point([0] * 8 + [255] * 248))
    picture.paste((*colour, 255), mask=body)
    picture.paste((*INK, 255), mask=details)
    return picture.resize((side, side), Image.Resampling.BOX)


@lru_cache(maxsize=1024)
def tag(text: str, height: int, ink: Colour = PAPER, paper: Colour = INK) -> Image.Image:
    """RGBA label `height` pixels high with `text` on it."""
    face = font(round(height * 0.8))
    left, _, right, _ = face.getbbox(text)
    width = round(right - left) + max(2, height // 2)
    label = Image.new("RGBA", (width, height))
    draw = ImageDraw.Draw(label)
    draw.rounded_rectangle([0, 0, width - 1, height - 1], radius=height // 4, fill=(*paper, 255))
    draw.text((width / 2, height / 2), text, fill=(*ink, 255), font=face, anchor="mm")
    return label


@lru_cache(maxsize=1024)
def tagged(shape: Shape, colour: Colour, side: int, name: str, tag_height: int) -> Image.Image:
    """The silhouette with its name tag below."""
    body, label = silhouette(shape, colour, side), tag(name, tag_height)
    width = max(body.width, label.width)
    picture = Image.new("RGBA", (width, body.height + label.height + 1))
    picture.paste(body, ((width - body.width) // 2, 0))
    picture.paste(label, ((width - label.width) // 2, body.height + 1))
    return picture


def stamp(image: Image.Image, sprite: Image.Image, centre: tuple[float, float]) -> None:
    """Puts `sprite` on `image` around `centre`, moved inwards where it would stick out."""
    x = round(centre[0] - sprite.width / 2)
    y = round(centre[1] - sprite.height / 2)
    x = max(0, min(image.width - sprite.width, x))
    y = max(0, min(image.height - sprite.height, y))
    image.paste(sprite, (x, y), sprite)
