"""Where the demo's files go and what they are called: as in the real benchmark."""

from __future__ import annotations

from typing import Literal, NamedTuple

from egocross_eval.tasks.egocross.catalogue import Cell

Split = Literal["testbed", "support", "training"]


class Source(NamedTuple):
    """A source dataset: what its videos are called and how large its frames are."""

    size: tuple[int, int]
    fps: float
    """Rate of the source videos, as the testbed file states it."""
    testbed: tuple[str, ...]
    support: tuple[str, ...]
    training: str
    """Pattern of the names of training videos; the number starts at 1001."""


SOURCES: dict[str, Source] = {
    "CholecTrack20": Source((320, 240), 25.0, ("VID01", "VID06", "VID110", "VID30"), ("VID103",), "VID{:04d}"),
    "EgoPet": Source((336, 252), 30.0, ("741", "754", "809", "815", "818"), ("005", "022", "036", "093"), "{:04d}"),
    "EgoSurgery": Source((352, 264), 25.0, ("04", "05", "10"), ("15",), "{:04d}"),
    "ENIGMA": Source((360, 240), 30.0, ("107", "131", "49", "53"), ("111", "157"), "{:04d}"),
    "ExtrameSportFPV": Source(
        (384, 224), 30.0, ("VID001", "VID006", "VID026", "VID053"), ("VID045", "VID059"), "VID{:04d}"
    ),
}
"""The testbed's videos are the first ones of each dataset; support and training videos are never among them."""

PNG_VIDEOS = frozenset({"VID110", "VID30"})
"""CholecTrack20 videos of the testbed with `.png` frames at 1 per second, named by the frame number of the source."""

LARGE_VIDEOS = frozenset({"VID006"})
"""ExtrameSportFPV videos with frames of twice the usual width."""


def frame_size(dataset: str, video: str, scale: float) -> tuple[int, int]:
    """Width and height of the frames of a video, in pixels."""
    width, height = SOURCES[dataset].size
    factor = scale * (2 if dataset == "ExtrameSportFPV" and video in LARGE_VIDEOS else 1)
    return round(width * factor), round(height * factor)


def testbed_folder(cell: Cell, video: str, number: int) -> str:
    """Folder of the frames of one testbed question, relative to the data root."""
    return f"egocross_testbed/{cell.dataset}/generated/{video}/frames/{cell.abbreviation}_q{number}"


def support_folder(cell: Cell, video: str, number: int) -> str:
    """Folder of the frames of one support or training example, relative to the support set's folder."""
    return f"frames/{cell.dataset}/{video}/frames/{cell.support_abbreviation}_q{number}"


def question_id(cell: Cell, video: str, number: int) -> str:
    """The question's name as in the submission template."""
    return f"{cell.dataset}_{video}_q{number}_{cell.slug}"


def frame_names(
    dataset: str, video: str, split: Split, times: tuple[float, ...], first: int, part: int
) -> tuple[str, ...]:
    """File names of the frames at `times` (seconds).

    `first` is the number of the first one in its source, `part` the tape.

    The names follow the time rules of the benchmark, so that `egocross_eval.tasks.egocross.times` gives back the times.
    """
    if dataset == "EgoSurgery":
        return tuple(f"{video}_{part}_{first + round(time / 2)}.jpg" for time in times)
    if dataset == "CholecTrack20" and (split != "testbed" or video in PNG_VIDEOS):
        return tuple(f"frame_{first + round(25 * time)}.png" for time in times)
    if split == "testbed":
        return tuple(f"frame_{index:05d}.jpg" for index in range(len(times)))
    if dataset == "ENIGMA":
        return tuple(f"{video}_{first + round(30 * time)}.jpg" for time in times)
    return tuple(f"frame_{first + round(25 * time)}.jpg" for time in times)
