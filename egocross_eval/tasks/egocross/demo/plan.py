"""Decides which clips are made, of which videos, with which questions: testbed, support set and training split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from egocross_eval.tasks.egocross.catalogue import CELLS, DATASET_DOMAINS, DOMAINS, SUPPORT_COUNT, Cell, find_cell
from egocross_eval.tasks.egocross.demo.animal import WALK_KINDS
from egocross_eval.tasks.egocross.demo.industry import BENCH_KINDS
from egocross_eval.tasks.egocross.demo.layout import PNG_VIDEOS, SOURCES, Split, frame_names, frame_size
from egocross_eval.tasks.egocross.demo.options import LetterBalance
from egocross_eval.tasks.egocross.demo.shots import Riddle, Shot, Take, seeded
from egocross_eval.tasks.egocross.demo.surgery import CHOLEC_KINDS, OPEN_KINDS
from egocross_eval.tasks.egocross.demo.timing import Timing, clip_timing
from egocross_eval.tasks.egocross.demo.xsports import RIDE_KINDS

KINDS: dict[str, dict[str, Callable[[Take], Shot]]] = {
    "CholecTrack20": CHOLEC_KINDS,
    "EgoPet": WALK_KINDS,
    "EgoSurgery": OPEN_KINDS,
    "ENIGMA": BENCH_KINDS,
    "ExtrameSportFPV": RIDE_KINDS,
}
"""Kinds of clips by dataset; together they have a question for each of the 25 cells."""

_TRAINING_SCALE = 0.4
"""Training frames are half as large as the testbed's: there may be many of them."""
_ROUNDS_PER_TRAINING_VIDEO = 6


@dataclass(frozen=True, slots=True)
class Item:
    """One question with everything that the files say of it."""

    cell: Cell
    video: str
    number: int
    """Number of the question within its video: `q<number>`."""
    riddle: Riddle
    options: tuple[str, ...]
    letter: str
    shot: Shot
    names: tuple[str, ...]
    """File names of the frames at `shot.times`."""


class _Clip(NamedTuple):
    dataset: str
    video: str
    shot: Shot
    names: tuple[str, ...]


def plan_testbed(seed: int, per_cell: int, scale: float) -> list[Item]:
    """`per_cell` questions of each of the 25 cells, by dataset and video, with the oddities of the real testbed."""
    items: list[Item] = []
    for dataset in DATASET_DOMAINS:
        videos = SOURCES[dataset].testbed
        clips: list[_Clip] = []
        for turn in range(per_cell):
            for place, kind in enumerate(KINDS[dataset]):
                at = (turn + place) % len(videos)
                clips.append(_film(seed, "testbed", dataset, kind, turn, videos[at], at, scale))
        clips.sort(key=lambda clip: videos.index(clip.video))
        items += _ask(clips, LetterBalance(seeded(seed, "testbed", dataset, "letters")))
    return _with_identical_options(items)


def plan_support(seed: int, scale: float) -> list[Item]:
    """20 questions of each domain on other videos than the testbed's; surgery takes ten of each of its datasets."""
    items: list[Item] = []
    for domain in DOMAINS:
        datasets = [dataset for dataset in DATASET_DOMAINS if DATASET_DOMAINS[dataset] == domain]
        for dataset in datasets:
            wanted = SUPPORT_COUNT // len(datasets)
            videos = SOURCES[dataset].support
            clips: list[_Clip] = []
            turn = 0
            while sum(len(clip.shot.riddles) for clip in clips) < wanted:
                for kind in KINDS[dataset]:
                    at = turn % len(videos)
                    clips.append(_film(seed, "support", dataset, kind, turn, videos[at], at, scale))
                turn += 1
            items += _ask(clips, LetterBalance(seeded(seed, "support", dataset, "letters")))[:wanted]
    return items


def plan_training(seed: int, count: int, cells: Collection[Cell] = CELLS) -> Iterator[Item]:
    """`count` questions of `cells` on videos of their own, cell by cell in turn, clip by clip."""
    datasets = {cell.dataset for cell in cells}
    chosen = {dataset: kinds for dataset, kinds in KINDS.items() if dataset in datasets}
    letters = {dataset: LetterBalance(seeded(seed, "training", dataset, "letters")) for dataset in DATASET_DOMAINS}
    numbers: Counter[str] = Counter()
    made = 0
    turn = 0
    while made < count:
        at = turn // _ROUNDS_PER_TRAINING_VIDEO
        for dataset, kinds in chosen.items():
            video = SOURCES[dataset].training.format(1001 + at)
            for kind in kinds:
                clip = _film(seed, "training", dataset, kind, turn, video, at, _TRAINING_SCALE)
                for item in _ask([clip], letters[dataset], numbers):
                    if made < count and item.cell in cells:
                        yield item
                        made += 1
        turn += 1


def _film(seed: int, split: Split, dataset: str, kind: str, turn: int, video: str, at: int, scale: float) -> _Clip:
    """Writes the script of one clip and names its frames."""
    rng = seeded(seed, split, dataset, kind, turn)
    numbered = dataset == "CholecTrack20" and video in PNG_VIDEOS
    timing: Timing = clip_timing(rng, split, dataset, kind, turn, by_second=numbered)
    take = Take(
        rng=rng,
        look=f"{seed}/{dataset}/{video}",
        place=at + seeded(seed, split, dataset).randrange(60),
        size=frame_size(dataset, video, scale),
        seconds=timing.seconds,
        times=timing.times,
        stated_end=timing.stated_end,
    )
    shot = KINDS[dataset][kind](take)
    names = frame_names(dataset, video, split, shot.times, timing.first, timing.part)
    return _Clip(dataset, video, shot, names)


def _ask(clips: list[_Clip], letters: LetterBalance, numbers: Counter[str] | None = None) -> list[Item]:
    """The questions of all clips, numbered within each video."""
    numbers = Counter() if numbers is None else numbers
    items: list[Item] = []
    for clip in clips:
        for riddle in clip.shot.riddles:
            cell = find_cell(clip.dataset, riddle.question_type)
            assert cell is not None, (clip.dataset, riddle.question_type)
            options, letter = letters.place(riddle, in_order=clip.dataset == "ENIGMA")
            numbers[f"{clip.dataset}/{clip.video}"] += 1
            number = numbers[f"{clip.dataset}/{clip.video}"]
            items.append(Item(cell, clip.video, number, riddle, options, letter, clip.shot, clip.names))
    return items


def _with_identical_options(items: list[Item]) -> list[Item]:
    """Gives two sequence questions a pair of identical options: the right answer in one, a wrong one in the other."""
    places = [i for i, item in enumerate(items) if item.cell.question_type == "action sequence identification"][:2]
    items = list(items)
    for place, pair_is_right in zip(places, (True, False), strict=False):
        item = items[place]
        wrong = [index for index, text in enumerate(item.options) if text != item.riddle.answer]
        options = list(item.options)
        options[wrong[0]] = item.riddle.answer if pair_is_right else options[wrong[1]]
        items[place] = replace(item, options=tuple(options))
    return items
