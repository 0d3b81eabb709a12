"""What the path of a frame says about its question: dataset, source video, kind of question and its number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from egocross_eval.counted import counted
from egocross_eval.errors import DataError
from egocross_eval.frames.roots import relative_name
from egocross_eval.natural_order import natural_key
from egocross_eval.tasks.egocross.catalogue import LETTERS

if TYPE_CHECKING:
    from collections.abc import Sequence

_CLIP = re.compile(
    r"(?:^|/)(?P<dataset>[^/]+)(?:/generated)?/(?P<video>[^/]+)/frames/(?P<abbreviation>[^/]+)_q(?P<number>[0-9]{1,9})$"
)
_LABEL = re.compile(r"\s*([A-D])\s*[:.]\s*(.*?)\s*$", re.DOTALL)


class Clip(msgspec.Struct, frozen=True, kw_only=True):
    """The folder that holds a question's frames."""

    dataset: str
    video: str
    abbreviation: str
    number: int
    folder: str

    @property
    def cluster(self) -> str:
        """Name of the source video, unique over all datasets."""
        return f"{self.dataset}/{self.video}"


def clip_names(paths: Sequence[str], owner: str) -> list[str]:
    """The frame names of `paths`, each relative and checked to have no way out of the data root."""
    if not paths:
        raise DataError(f"{owner}: there are no frames")
    return [relative_name(path, owner=owner) for path in paths]


def parse_clip(names: Sequence[str], owner: str) -> Clip:
    """The clip of `names` (relative, not empty); a `DataError` if they lie in several folders or have another form."""
    folder = names[0].rpartition("/")[0]
    prefix = folder + "/"
    length = len(prefix)
    for name in names:
        if not name.startswith(prefix) or "/" in name[length:]:
            raise DataError(f"{owner}: the frames lie in more than one folder: {names[0]!r} and {name!r}")
    match = _CLIP.search(folder)
    if match is None:
        raise DataError(
            f"{owner}: the frame path {names[0]!r} is not of the form .../DATASET/[generated/]VIDEO/frames/KIND_qN/FILE"
            ", which the question's name is derived from"
        )
    return Clip(
        dataset=match["dataset"],
        video=match["video"],
        abbreviation=match["abbreviation"],
        number=int(match["number"]),
        folder=folder,
    )


def in_time_order(names: Sequence[str], clip: Clip) -> list[str]:
    """The frame names of `clip`, sorted by the numbers in their file names."""
    start = len(clip.folder) + 1
    return sorted(names, key=lambda name: natural_key(name[start:]))


def parse_options(lines: Sequence[str], owner: str) -> dict[str, str]:
    """Option text by letter from lines such as `A: board` or `A. board`: exactly four, in order."""
    if len(lines) != len(LETTERS):
        raise DataError(f"{owner}: {counted(len(lines), 'option')} instead of {len(LETTERS)}")
    options: dict[str, str] = {}
    for letter, line in zip(LETTERS, lines, strict=True):
        match = _LABEL.match(line)
        if match is None or match[1] != letter or not match[2]:
            raise DataError(f"{owner}: the option {line!r} is not of the form '{letter}: text'")
        options[letter] = match[2]
    return options
