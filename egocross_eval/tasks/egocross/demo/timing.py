"""When the frames of a clip are taken: sampling of the real testbed and support set, with their gaps and long clips."""

from __future__ import annotations

import random
from typing import NamedTuple

from egocross_eval.tasks.egocross.demo.layout import Split


class Timing(NamedTuple):
    """Frame times of a clip and the numbers that name its frames."""

    seconds: float
    """Length of the segment that the frames cover."""
    times: tuple[float, ...]
    first: int
    """Number of the first frame within its source."""
    part: int
    """Number of the tape (EgoSurgery)."""
    stated_end: float = 0.0
    """End of the segment as the question states it, where it lies beyond the frames; else 0."""


_SECONDS: dict[tuple[str, str], float] = {
    ("CholecTrack20", "view"): 10,
    ("CholecTrack20", "hands"): 10,
    ("CholecTrack20", "act"): 20,
    ("CholecTrack20", "phase"): 16,
    ("ENIGMA", "view"): 10,
    ("ENIGMA", "hands"): 10,
    ("ENIGMA", "act"): 16,
    ("ENIGMA", "order"): 16,
    ("ExtrameSportFPV", "trick"): 10,
    ("ExtrameSportFPV", "run"): 16,
    ("ExtrameSportFPV", "bend"): 16,
    ("EgoPet", "walk"): 16,
}
"""Usual length of a clip by dataset and kind; the others vary."""

_LONG: dict[tuple[str, str], float] = {
    ("CholecTrack20", "hands"): 60,
    ("CholecTrack20", "phase"): 80,
    ("ENIGMA", "order"): 30,
    ("EgoPet", "walk"): 176,
}
"""Length of the first clip of its kind in the testbed: 30, 40, 15 and 88 frames."""

_UNSORTED_FIRST = 95
"""A numbering that goes from two digits to three, so that names sorted as strings are out of order."""


def clip_timing(rng: random.Random, split: Split, dataset: str, kind: str, turn: int, *, by_second: bool) -> Timing:
    """Times of the `turn`-th clip of a kind. `by_second`: one frame a second, some missing, not one every 2 s."""
    if dataset == "EgoSurgery":
        return _numbered(rng, split, kind, turn)
    seconds = _length(rng, split, dataset, kind, turn)
    first = 25 * rng.randint(40, 1600) + 1
    if split == "support":
        return Timing(seconds, _support_times(rng, dataset, seconds), first, 1)
    if by_second and seconds <= 20:
        times = tuple(float(second) for second in range(round(seconds)))
        if kind in ("view", "hands") and turn % 2:
            times = _with_gaps(rng, times)
        return Timing(seconds, times, first, 1)
    beyond = split == "testbed" and kind == "run" and turn in (1, 2)
    times = tuple(2.0 * index for index in range(max(1, round(seconds / 2))))
    return Timing(seconds, times, first, 1, seconds + 9 if beyond else 0.0)


def _length(rng: random.Random, split: Split, dataset: str, kind: str, turn: int) -> float:
    if split == "testbed" and turn == 0 and (dataset, kind) in _LONG:
        return _LONG[dataset, kind]
    if (dataset, kind) == ("EgoPet", "meet"):
        if split == "testbed" and turn == 1:
            return 2.0  # a single frame
        return 2.0 * rng.randint(2, 6)
    return _SECONDS[dataset, kind]


def _numbered(rng: random.Random, split: Split, kind: str, turn: int) -> Timing:
    """EgoSurgery: 2 s a number; in every other clip numbers are missing; one clip's names sort wrongly as strings."""
    count = rng.randint(7, 13)
    times = tuple(2.0 * index for index in range(count))
    if turn % 2:
        times = _with_gaps(rng, times)
    unsorted = split == "testbed" and kind == "view" and turn == 0
    first = _UNSORTED_FIRST if unsorted else rng.randint(110, 900)
    return Timing(2.0 * (count - 1), times, first, rng.randint(1, 2))


def _with_gaps(rng: random.Random, times: tuple[float, ...]) -> tuple[float, ...]:
    """Leaves out one to three frames within the clip; the first and last stay."""
    missing = rng.sample(times[1:-1], min(rng.randint(1, 3), len(times) - 4))
    return tuple(time for time in times if time not in missing)


def _support_times(rng: random.Random, dataset: str, seconds: float) -> tuple[float, ...]:
    """The support set's sampling: ten frames evenly spread, one a second, or about one a second at odd moments."""
    if dataset == "CholecTrack20":
        return tuple(float(second) for second in range(round(seconds)))
    if dataset == "ENIGMA":
        later = (second + rng.randint(-8, 8) / 30 for second in range(1, round(seconds)))
        return (0.0, *later)
    count = 10 if seconds >= 10 else max(3, round(seconds / 2))
    return tuple(round(25 * seconds * index / count) / 25 for index in range(count))
