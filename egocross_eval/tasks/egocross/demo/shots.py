"""What a clip is: a scene that can be drawn at any time, the times of its frames, and what can be asked about it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from PIL.Image import Image


class Scene(Protocol):
    """A scripted stretch of video."""

    def draw(self, time: float) -> Image:
        """The RGB picture `time` seconds after the start of the clip."""
        ...


@dataclass(frozen=True, slots=True)
class Riddle:
    """A question about a scene, before its options are chosen."""

    question_type: str
    text: str
    answer: str
    """Text of the right option."""
    wrong: tuple[str, ...]
    """Texts that are certainly wrong, three or more; all different from each other and from the answer."""
    detail: str
    """A sentence that says what happens and when."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A clip: scene, frame times and its questions, one for each question type of its kind."""

    scene: Scene
    times: tuple[float, ...]
    """Seconds of each frame from the start of the clip, rising."""
    riddles: tuple[Riddle, ...]


@dataclass(frozen=True, slots=True)
class Take:
    """The circumstances under which a scene is written: everything that it may depend on."""

    rng: random.Random
    """Randomness of this clip."""
    look: str
    """Name of the source video: clips of one video share their surroundings."""
    place: int
    """Number of the source video, which decides what it shows throughout (the sport, the animal)."""
    size: tuple[int, int]
    """Width and height of the frames in pixels."""
    seconds: float
    """Length of the segment that the questions speak of."""
    times: tuple[float, ...]
    """Seconds of each frame, rising, the first 0."""
    stated_end: float = 0.0
    """End of the segment as the question's text says it; 0: `seconds`."""

    @property
    def until(self) -> float:
        """A moment after the last frame: what is there until then is there to the end."""
        return max(self.seconds, self.times[-1]) + 1.0

    @property
    def end(self) -> float:
        """End of the segment as the question's text says it."""
        return self.stated_end or self.seconds


def seeded(*parts: object) -> random.Random:
    """A generator that depends on `parts` alone, on every machine alike."""
    return random.Random("/".join(map(str, parts)))  # noqa: S311


REGIONS = (
    ("top-left", "top-center", "top-right"),
    ("center-left", "center", "center-right"),
    ("bottom-left", "bottom-center", "bottom-right"),
)
"""Names of the cells of the 3x3 grid, by row and column, as the benchmark writes them."""

REGION_NAMES: tuple[str, ...] = tuple(name for row in REGIONS for name in row)


def region_box(region: str, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a cell of the 3x3 grid in pixels."""
    row = next(index for index, names in enumerate(REGIONS) if region in names)
    column = REGIONS[row].index(region)
    width, height = size[0] / 3, size[1] / 3
    return column * width, row * height, (column + 1) * width, (row + 1) * height


def time_bins(seconds: float, count: int = 4) -> list[float]:
    """Centres of `count` equal stretches of a clip of `seconds`."""
    return [seconds * (index + 0.5) / count for index in range(count)]
