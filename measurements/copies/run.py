"""Which copies of clips are known by how they look, and which other clips are taken for copies.

    python measurements/copies/run.py [--frames FOLDER] [--data ROOT]

FOLDER has a folder of pictures for each clip, ROOT the real layout of EgoCross.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageEnhance, ImageOps

if TYPE_CHECKING:
    import numpy as np

    from egocross_eval.frames.shared import Clip

Picture = Image.Image
Change = Callable[[Picture], Picture]

SIZE, SCENE = (640, 480), (1600, 1200)
"""(width, height) of frames, and of the scenes that a camera moves over."""

SOURCES, FRAMES = 20, 6

BOUNDS = (0.99, 0.97, 0.95, 0.9, 0.8, 0.7)
"""Correlations, the first of them the one by which clips are told."""


def quality(value: int) -> Change:
    def change(picture: Picture) -> Picture:
        stream = BytesIO()
        picture.save(stream, "JPEG", quality=value)
        return Image.open(stream).convert("RGB")

    return change


def scaled(share: float) -> Change:
    return lambda one: one.resize((round(share * one.width), round(share * one.height)), Image.Resampling.LANCZOS)


def cropped(width: float, height: float, right: float = 0.0) -> Change:
    """About the middle, or moved by a share of what is cut."""

    def change(one: Picture) -> Picture:
        left, top = one.width * (1 - width) * (0.5 + right), one.height * (1 - height) / 2
        return one.crop((round(left), round(top), round(left + width * one.width), round(top + height * one.height)))

    return change


def barred(width: float, height: float, colour: str = "black") -> Change:
    """In the middle of a larger picture of one colour."""

    def change(one: Picture) -> Picture:
        larger = Image.new("RGB", (round(one.width * width), round(one.height * height)), colour)
        larger.paste(one, ((larger.width - one.width) // 2, (larger.height - one.height) // 2))
        return larger

    return change


def curved(exponent: float) -> Change:
    table = [round(255 * (value / 255) ** exponent) for value in range(256)] * 3
    return lambda one: one.point(table)


def tinted(one: Picture) -> Picture:
    bands = zip(one.split(), (1.15, 1.0, 0.85), strict=True)
    return Image.merge("RGB", [band.point([min(255, round(v * by)) for v in range(256)]) for band, by in bands])


def turned(degrees: float) -> Change:
    return lambda one: one.rotate(degrees, Image.Resampling.BICUBIC)


def both(*changes: Change) -> Change:
    def change(one: Picture) -> Picture:
        for each in changes:
            one = each(one)
        return one

    return change


COPIES: dict[str, Change] = {
    "JPEG of quality 20": quality(20),
    "half the size": scaled(0.5),
    "a quarter of the size": scaled(0.25),
    "1.5 times the size": scaled(1.5),
    "squeezed to 16:9": lambda one: one.resize((one.width, one.width * 9 // 16)),
    "brightness x 1.2": lambda one: ImageEnhance.Brightness(one).enhance(1.2),
    "brightness x 1.5": lambda one: ImageEnhance.Brightness(one).enhance(1.5),
    "brightness x 0.6": lambda one: ImageEnhance.Brightness(one).enhance(0.6),
    "contrast x 1.3": lambda one: ImageEnhance.Contrast(one).enhance(1.3),
    "contrast x 0.7": lambda one: ImageEnhance.Contrast(one).enhance(0.7),
    "gamma 0.7": curved(0.7),
    "gamma 1.4": curved(1.4),
    "saturation x 0.5": lambda one: ImageEnhance.Color(one).enhance(0.5),
    "saturation x 1.5": lambda one: ImageEnhance.Color(one).enhance(1.5),
    "grey": lambda one: ImageOps.grayscale(one).convert("RGB"),
    "warmer": tinted,
    "negative": ImageOps.invert,
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "turned by 2 degrees": turned(2),
    "middle 95 %": cropped(0.95, 0.95),
    "middle 90 %": cropped(0.9, 0.9),
    "middle 80 %": cropped(0.8, 0.8),
    "middle 70 %": cropped(0.7, 0.7),
    "middle 90 %, gamma 0.8": both(cropped(0.9, 0.9), curved(0.8)),
    "90 %, to the right": cropped(0.9, 0.9, right=0.5),
    "4:3 cut to 16:9": cropped(1.0, 0.75),
    "90 % of the width": cropped(0.9, 1.0),
    "bars above and below (x 1.25)": barred(1.0, 1.25),
    "bars left and right (x 1.33)": barred(1.33, 1.0),
    "white bars above and below (x 1.25)": barred(1.0, 1.25, "white"),
    "bars above and below (x 1.78)": barred(1.0, 1.78),
    "bars on all sides (x 1.2)": barred(1.2, 1.2),
}


def scene(seed: int, round_mask: bool) -> Picture:
    """Light with the spectrum of photographs, and things of all sizes in it."""
    import numpy as np

    rng = np.random.default_rng(seed)
    width, height = SCENE
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = 1 / width
    planes = [_noise(rng, frequency, (height, width)) for _ in range(4)]
    light = np.stack([planes[0] + 0.3 * plane for plane in planes[1:]], axis=-1)
    light = 120 + (12 if round_mask else 40) * light / light.std()
    picture = Image.fromarray(np.clip(light, 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    for _ in range(60):
        x, y = (int(rng.integers(0, side)) for side in SCENE)
        w, h = (int(side) for side in rng.geometric(1 / 60, 2) + 10)
        colour = tuple(int(value) for value in (rng.integers(60, 180, 3) if round_mask else rng.integers(0, 256, 3)))
        draw = (pen.ellipse, pen.rectangle)[int(rng.integers(2))]
        draw((x, y, x + w, y + h), fill=colour)
    return picture


def _noise(rng: np.random.Generator, frequency: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    import numpy as np

    spectrum = np.fft.rfft2(rng.normal(size=shape)) / frequency**1.2
    spectrum[0, 0] = 0
    noise = np.fft.irfft2(spectrum, shape)
    noise /= noise.std()
    return noise


def filmed(one: Picture, seed: int, round_mask: bool) -> list[Picture]:
    """What a moving camera sees of a scene; seen through a scope, the corners are black."""
    import numpy as np

    rng = np.random.default_rng(seed)
    x, y, share = rng.uniform(0, 0.4), rng.uniform(0, 0.4), rng.uniform(0.4, 0.6)
    frames = []
    for _ in range(FRAMES):
        x, y = (float(np.clip(v + rng.normal(0, 0.05), 0, 1 - share)) for v in (x, y))
        box = (x * one.width, y * one.height, (x + share) * one.width, (y + share) * one.height)
        frame = one.resize(SIZE, Image.Resampling.BICUBIC, box=box)
        grain = rng.normal(0, 4, (SIZE[1], SIZE[0], 3))
        frame = Image.fromarray(np.clip(np.asarray(frame, dtype=np.float32) + grain, 0, 255).astype(np.uint8))
        frames.append(scoped(frame) if round_mask else frame)
    return frames


def scoped(frame: Picture) -> Picture:
    mask = Image.new("L", frame.size)
    middle, radius = frame.width / 2, frame.height * 0.55
    box = (middle - radius, frame.height / 2 - radius, middle + radius, frame.height / 2 + radius)
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    return Image.composite(frame, Image.new("RGB", frame.size), mask)


def saved(folder: Path, name: str, pictures: Iterable[Picture], of: str = "") -> Clip:
    from egocross_eval.frames.shared import Clip

    paths = []
    for place, picture in enumerate(pictures):
        paths.append(folder / name / f"{place}.jpg")
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        picture.save(paths[-1], quality=85)
    return Clip(name, of or name, tuple(map(str, paths)))


def opened(clip: Clip) -> list[Picture]:
    return [Image.open(path).convert("RGB") for path in clip.paths]


def made(folder: Path, round_mask: bool) -> list[Clip]:
    kind = "scope" if round_mask else "camera"
    scenes = (scene(1000 * round_mask + number, round_mask) for number in range(SOURCES))
    films = (filmed(one, number, round_mask) for number, one in enumerate(scenes))
    return [saved(folder, f"{kind}{number:02}", film) for number, film in enumerate(films)]


def found(clips: list[Clip], change: Change, folder: Path) -> tuple[int, int]:
    """How many copies are told of their clips, and of other clips."""
    from egocross_eval.frames.alike import alike_clips

    copies = [saved(folder, clip.name, map(change, opened(clip)), of=f"copy of {clip.owner}") for clip in clips]
    told = {(one.shown.name, one.tested.name) for one in alike_clips(clips, copies)}
    right = sum((clip.name, clip.name) in told for clip in clips)
    return right, len(told) - right


def measure(sets: dict[str, list[Clip]], folder: Path) -> None:
    print("| copy | " + " | ".join(f"{name} ({len(clips)})" for name, clips in sets.items()) + " |")
    print("|---|" + "---:|" * len(sets))
    others = dict.fromkeys(sets, 0)
    for place, (title, change) in enumerate(COPIES.items()):
        row = []
        for name, clips in sets.items():
            right, wrong = found(clips, change, folder / f"copies{place}" / name)
            others[name] += wrong
            row.append(f"{right / len(clips):.0%}")
        print(f"| {title} | {' | '.join(row)} |", flush=True)
    print("| copies taken for those of other clips | " + " | ".join(map(str, others.values())) + " |")
    for bound in BOUNDS:
        apart = [str(told_apart(clips, bound)) for clips in sets.values()]
        print(f"| pairs of clips that are no copies, told by a bound of {bound:g} | {' | '.join(apart)} |")


def told_apart(clips: list[Clip], bound: float) -> int:
    """Pairs of clips that would be told if pictures with such a correlation showed the same."""
    from egocross_eval.frames import alike

    kept = alike._LEAST_CORRELATION, alike._WORTH_A_LOOK
    alike._LEAST_CORRELATION, alike._WORTH_A_LOOK = bound, min(bound, alike._WORTH_A_LOOK)
    try:
        return len({frozenset((one.shown.name, one.tested.name)) for one in alike.alike_clips(clips, clips)})
    finally:
        alike._LEAST_CORRELATION, alike._WORTH_A_LOOK = kept


def measure_layout(root: Path) -> None:
    """What is told among the clips of the real layout, whose frames may be stand-ins."""
    from egocross_eval.contracts.registry import registry
    from egocross_eval.frames.alike import alike_clips
    from egocross_eval.frames.roots import DataRoot
    from egocross_eval.runs.shots import clips_of
    from egocross_eval.training.examples import load_split, trainable

    benchmark = trainable(registry())
    splits = [load_split(benchmark, name, root) for name in ("examples", "tested")]
    examples, tested = (clips_of(split.questions, DataRoot(split.root or root)) for split in splits)
    told = len(alike_clips(examples, tested)), len(alike_clips(tested, tested)) // 2
    print(f"\n{len(examples)} examples against {len(tested)} tested clips: {told[0]} pairs; tested clips: {told[1]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=Path)
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EGOCROSS_CACHE"] = f"{folder}/cache"
        sets = {"moving camera": made(Path(folder), False), "through a scope": made(Path(folder), True)}
        if arguments.frames:
            sets["real frames"] = clips_in(arguments.frames)
        measure(sets, Path(folder))
        if arguments.data:
            measure_layout(arguments.data)


def clips_in(folder: Path) -> list[Clip]:
    from egocross_eval.frames.shared import Clip

    folders = sorted(path for path in folder.iterdir() if path.is_dir())
    return [Clip(one.name, one.name, tuple(map(str, sorted(one.iterdir())))) for one in folders]


if __name__ == "__main__":
    main()
