"""Clips that show the same by content, whatever the names of their frames."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import NamedTuple

from egocross_eval.frames.pictures import FrameError
from egocross_eval.frames.pixels import BLANK, pixel_hashes
from egocross_eval.frames.store import frame_hash, picture_size


class Clip(NamedTuple):
    """Frames that are shown together."""

    name: str
    """E.g. the key of a question."""
    owner: str
    """What they are of, e.g. a source video."""
    paths: tuple[str, ...]


class Told(NamedTuple):
    """A frame that tells of which clip it is."""

    path: str
    shown: Clip
    tested: Clip


class Shared(NamedTuple):
    """What clips that are shown have in common with those that are tested."""

    told: tuple[Told, ...]
    common: int
    """Number of shown frames that tested clips have too, and that tell no clip: blank and stand-in pictures."""


class _Tested:
    """The clips of a split, by what they show."""

    def __init__(self, clips: Sequence[Clip], pictures: Mapping[str, str]) -> None:
        self._clips = clips
        self._inside = {clip: _telling(pictures.get(path, path) for path in clip.paths) for clip in clips}
        self._having: dict[str, list[Clip]] = defaultdict(list)
        for clip in clips:
            for picture in dict.fromkeys(pictures.get(path, path) for path in clip.paths):
                self._having[picture].append(clip)

    def having(self, picture: str) -> list[Clip]:
        """The clips that show a picture."""
        return self._having.get(picture, [])

    def told(self, picture: str, shown: Set[str]) -> list[Clip]:
        """The clips that a picture of a shown clip tells, which has these `shown` ones that aren't blank."""
        having = self.having(picture)
        if picture not in shown or len({clip.owner for clip in having}) < 2:
            return having if picture in shown else []
        whole = [clip for clip in having if self._is_whole(clip, shown)]
        return whole if whole and not self._stand_in(_size(whole[0].paths[0])) else []

    def _is_whole(self, clip: Clip, shown: Set[str]) -> bool:
        inside = self._inside[clip]
        return len(inside & shown) > 1 and (inside <= shown or shown <= inside)

    @functools.cache  # noqa: B019 - it lives as long as a check
    def _stand_in(self, size: tuple[int, int] | None) -> bool:
        """Whether most frames with pictures of a size are of several owners: they stand in for others."""
        owners: dict[str, set[str]] = defaultdict(set)
        paths = [(clip.owner, path) for clip in self._clips if _size(clip.paths[0]) == size for path in clip.paths]
        frames = [(owner, digest) for owner, path in paths if (digest := _file_hash(path))]  # without those missing
        for owner, digest in frames:
            owners[digest].add(owner)
        return 2 * sum(len(owners[digest]) > 1 for _, digest in frames) > len(frames)


def _telling(pictures: Iterable[str]) -> set[str]:
    """Those that aren't blank."""
    return {picture for picture in pictures if not picture.startswith(BLANK)}


def shared_frames(shown: Sequence[Clip], tested: Sequence[Clip]) -> Shared:
    """Frames of `shown` clips that `tested` ones of other owners show too; `tested` are those of a whole split.

    Every frame is compared by the bytes of its file; by its pixels (so in another format, or with other metadata) every
    frame of a clip whose first one is among those shown. A picture that several owners have tells a clip where one of
    the two clips is wholly in the other, unless most pictures of the split are of several owners. A blank picture tells
    none.
    """
    tested = [clip for clip in tested if clip.paths]
    pictures = _pictures(shown, tested)
    split = _Tested(tested, pictures)
    told: list[Told] = []
    common = set[str]()
    for clip in shown:
        own = {pictures.get(path, path): path for path in clip.paths}
        telling = _telling(own)
        for picture, path in own.items():
            having = split.having(picture)
            if not having or any(one.owner == clip.owner for one in having):
                continue
            found = split.told(picture, telling)
            told += [Told(path, clip, one) for one in found]
            if not found:
                common.add(path)
    return Shared(tuple(told), len(common))


def _pictures(shown: Sequence[Clip], tested: Sequence[Clip]) -> dict[str, str]:
    """By path, what tells a picture from others; frames that can be no other's are left out."""
    files = _file_hashes(shown, tested)
    pixels = _pixels(shown, tested, files)
    # Files with the same bytes as one that was decoded have its pixels.
    by_file = {files[path]: digest for path, digest in pixels.items() if path in files}
    return pixels | {path: pixels.get(path) or by_file.get(digest, digest) for path, digest in files.items()}


def _file_hashes(shown: Sequence[Clip], tested: Sequence[Clip]) -> dict[str, str]:
    """Hashes of the files of equal size on both sides: others need not be read."""
    sizes = [{path: _bytes(path) for clip in clips for path in clip.paths} for clips in (shown, tested)]
    both = set(sizes[0].values()) & set(sizes[1].values()) - {None}
    hashes = {}
    for path, size in (sizes[0] | sizes[1]).items():
        if size in both and (digest := _file_hash(path)):
            hashes[path] = digest
    return hashes


def _pixels(shown: Sequence[Clip], tested: Sequence[Clip], files: Mapping[str, str]) -> dict[str, str]:
    """Hashes of pixels: of the shown frames and the first of each tested clip where their pictures are equally large,
    and of all frames of a tested clip whose first is one of those shown and whose files aren't."""
    frames = {path: _size(path) for clip in shown for path in clip.paths}
    firsts = {clip.paths[0]: _size(clip.paths[0]) for clip in tested}
    both = set(frames.values()) & set(firsts.values()) - {None}
    found = pixel_hashes(path for path, size in (frames | firsts).items() if size in both)
    digests = {found[path] for path in frames if path in found}
    same = {files[path] for path in frames if path in files}
    rest = [
        path
        for clip in tested
        if found.get(clip.paths[0]) in digests and files.get(clip.paths[0]) not in same
        for path in clip.paths
    ]
    return found | pixel_hashes(rest)


def _bytes(path: str) -> int | None:
    try:
        return Path(path).stat().st_size
    except OSError:
        return None


def _file_hash(path: str) -> str:
    try:
        return frame_hash(path)
    except FrameError:
        return ""  # said where frames are checked


def _size(path: str) -> tuple[int, int] | None:
    try:
        return picture_size(path)
    except FrameError:
        return None
