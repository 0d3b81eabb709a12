"""Clips that look alike although their pictures differ, as copies do that were compressed again, scaled, recoloured,
cropped about their middle, framed by bars, or mirrored."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.frames.pixels import THUMBNAIL, Seen, pictures_seen
from egocross_eval.frames.shared import Clip

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_LEAST_CORRELATION = 0.99
"""Of the grey values of two pictures that show the same (`measurements/copies` says what that finds)."""

_WORTH_A_LOOK = 0.97
"""Of two whose clips are compared frame by frame, with all that is dark in them."""

_DARK = 16
"""Grey value, of 255, of bars and of what surrounds a round view: many videos have the same, and it tells none."""

_LEAST_LIT = 0.35
"""Share of two pictures that is neither dark nor beside what is, where they are compared."""

_LEAST_CONTRAST = 8.0
"""Standard deviation of a picture's grey values, of 255, below which too little is seen to tell pictures apart."""

_LEAST_LIT_CONTRAST = 4.0
"""The same where both are lit: a smooth view in dark surroundings."""

_COMPARED = 12
"""Rows and columns of the grey values that are compared."""

_LEAST_SHARES = (0.75, 0.55)
"""Least share of height and width that a crop leaves of both, or of one; of bars, what the picture takes up."""

_STEP = 0.025
"""From one share that is tried to the next."""

_FEWEST = 2
"""Pictures that a clip has at least, to tell it by how they look."""

_AT_ONCE = 200, 1_000
"""Shown and tested frames that are compared at once: a bound of memory."""

Share = tuple[float, float]
"""Parts of a picture's height and width, about its middle."""

_WHOLE: Share = (1.0, 1.0)


class View(NamedTuple):
    """What of two pictures is compared: where one was made of the other, the whole of one."""

    shown: Share
    tested: Share
    mirrored: bool


class _Views(NamedTuple):
    """Each of some shares of one side with each of the other's."""

    shown: tuple[Share, ...] = (_WHOLE,)
    tested: tuple[Share, ...] = (_WHOLE,)
    mirrored: bool = False


def _shares() -> Iterator[Share]:
    """What crops leave of a picture, and what a picture takes up within bars."""
    both, one = ([1 - _STEP * place for place in range(1, round((1 - least) / _STEP) + 1)] for least in _LEAST_SHARES)
    yield from ((share, share) for share in both)
    yield from (pair for share in one for pair in ((share, 1.0), (1.0, share)))


_VIEWS = (_Views(), _Views(mirrored=True), _Views(shown=tuple(_shares())), _Views(tested=tuple(_shares())))
"""Whole, mirrored, and one cropped to what the other shows, or framed by bars. Only the first is tried for all frames
that are shown: the others for those with which their clips begin."""


class Alike(NamedTuple):
    """Two clips of different owners of which one looks as a part of the other does."""

    shown: Clip
    tested: Clip


def alike_clips(shown: Sequence[Clip], tested: Sequence[Clip]) -> list[Alike]:
    """Pairs of a `shown` and a `tested` clip of another owner whose pictures differ and look alike, in all frames of
    one of the two.

    Tested clips whose first frame looks as none of those shown are passed over; of crops and mirrored pictures, those
    whose first frames aren't alike. Frames that are all but plain tell nothing; a picture that both have is told by
    `shared_frames`.
    """
    shown, tested = ([clip for clip in clips if clip.paths] for clips in (shown, tested))
    seen = pictures_seen(path for clip in shown for path in clip.paths) | pictures_seen(c.paths[0] for c in tested)
    near = _near(shown, tested, seen)
    seen |= pictures_seen(path for _, clip in near for path in clip.paths)
    return [Alike(*pair) for pair, views in near.items() if any(_is_part(*pair, seen, view) for view in views)]


def _near(
    shown: Sequence[Clip], tested: Sequence[Clip], seen: Mapping[str, Seen]
) -> dict[tuple[Clip, Clip], set[View]]:
    """Pairs where the first picture of the tested clip looks as one of the shown clip's and is another, and the views
    in which it does."""
    frames = [(clip, path) for clip in shown for path in clip.paths if path in seen]
    begins = [(clip, path) for clip, path in frames if path == clip.paths[0]]
    firsts = [(clip, clip.paths[0]) for clip in tested if clip.paths[0] in seen]
    found: dict[tuple[Clip, Clip], set[View]] = {}
    for place, views in enumerate(_VIEWS):
        for view, (one, path), (other, first) in _pairs(begins if place else frames, firsts, seen, views):
            if seen[path].digest != seen[first].digest and one.owner != other.owner:
                found.setdefault((one, other), set()).add(view)
    return found


Framed = tuple[Clip, str]
"""A clip and the path of a frame of it."""


def _pairs(
    shown: Sequence[Framed], tested: Sequence[Framed], seen: Mapping[str, Seen], views: _Views
) -> Iterator[tuple[View, Framed, Framed]]:
    """The frames that are worth a look, and in which view."""
    for others in _parts(tested, _AT_ONCE[1]):
        twos = _Looks.of([seen[path] for _, path in others]).seen(views.tested)
        for some in _parts(shown, _AT_ONCE[0]):
            looks = _Looks.of([seen[path] for _, path in some])
            ones = (looks.mirrored() if views.mirrored else looks).seen(views.shown)
            for row, share, column, other in zip(*_alike(ones, twos), strict=True):
                yield View(views.shown[share], views.tested[other], views.mirrored), some[row], others[column]


def _parts(whole: Sequence[Framed], size: int) -> list[Sequence[Framed]]:
    return [whole[start : start + size] for start in range(0, len(whole), size)]


def _is_part(one: Clip, other: Clip, seen: Mapping[str, Seen], view: View) -> bool:
    """Whether all frames of one of the two clips look as one of the other's, and no picture is both clips'."""
    sides = [[seen[path] for path in clip.paths if path in seen and _tells(seen[path])] for clip in (one, other)]
    digests = [{picture.digest for picture in side} for side in sides]
    if min(map(len, digests)) < _FEWEST or digests[0] & digests[1]:
        return False
    same = _same(_Looks.of(sides[0]), _Looks.of(sides[1]), view)
    return bool(same.any(axis=0).all() or same.any(axis=1).all())


def _tells(picture: Seen) -> bool:
    return float(_Looks.of([picture]).grey((_WHOLE,)).std()) >= _LEAST_CONTRAST


@functools.cache
def _averages(shares: tuple[Share, ...]) -> Floats:
    """Weights that average the cells of a thumbnail to the values of shares of it: shape (cells, shares x values)."""
    import numpy as np

    width, height = THUMBNAIL
    found = [np.kron(_line(height, share[0]), _line(width, share[1])) for share in shares]
    weights: Floats = np.concatenate(found).T.astype(np.float32)
    return weights


def _line(cells: int, share: float) -> NDArray[np.float64]:
    """Weights that average a row of cells, as far as a share of it about the middle goes: shape (compared, cells)."""
    import numpy as np

    edges = cells * ((1 - share) / 2 + share * np.arange(_COMPARED + 1) / _COMPARED)
    places = np.arange(cells)
    inside = np.minimum(edges[1:, None], places + 1) - np.maximum(edges[:-1, None], places)
    weights: NDArray[np.float64] = np.maximum(inside, 0) * _COMPARED / (cells * share)
    return weights


class _Looks:
    """How pictures look in small, by the values of shares of them: arrays of shape (pictures, shares, values)."""

    def __init__(self, cells: Floats) -> None:
        """`cells`: grey values of shape (pictures, height, width)."""
        self._cells = cells

    @staticmethod
    def of(pictures: Sequence[Seen]) -> _Looks:
        """Those of pictures."""
        import numpy as np

        values = np.frombuffer(b"".join(picture.thumbnail for picture in pictures), np.uint8)
        return _Looks(values.reshape(-1, *reversed(THUMBNAIL)).astype(np.float32))

    def mirrored(self) -> _Looks:
        """The same, seen in a mirror."""
        return _Looks(self._cells[:, :, ::-1])

    def grey(self, shares: tuple[Share, ...]) -> Floats:
        """Grey values."""
        return self._averaged(self._cells, shares)

    def lit(self, shares: tuple[Share, ...]) -> NDArray[np.bool_]:
        """Where they are neither dark nor beside what is."""
        import numpy as np

        light = np.pad(self._cells >= _DARK, ((0, 0), (1, 1), (1, 1)), constant_values=True)
        light = light[:, :-2] & light[:, 1:-1] & light[:, 2:]
        light = light[:, :, :-2] & light[:, :, 1:-1] & light[:, :, 2:]
        return self._averaged(light.astype(np.float32), shares) > 0.999

    def seen(self, shares: tuple[Share, ...]) -> Floats:
        """Grey values whatever brightness and contrast are, as `_standardised` makes them."""
        return _standardised(self.grey(shares))

    @staticmethod
    def _averaged(cells: Floats, shares: tuple[Share, ...]) -> Floats:
        found: Floats = cells.reshape(len(cells), -1) @ _averages(shares)
        return found.reshape(len(cells), len(shares), -1)


def _standardised(grey: Floats, where: Floats | None = None, *, least: float = _LEAST_CONTRAST) -> Floats:
    """Whatever brightness and contrast are: products of two sum up to their correlation. `where`: 1 for values that
    count, 0 for others; `least`: contrast below which less is made of them."""
    import numpy as np

    counted = np.ones_like(grey) if where is None else where
    number = counted.sum(axis=-1, keepdims=True).clip(min=1)
    off = counted * (grey - (counted * grey).sum(axis=-1, keepdims=True) / number)
    spread = np.sqrt((off**2).sum(axis=-1, keepdims=True) / number).clip(min=least)
    found: Floats = (off / spread / np.sqrt(number)).astype(np.float32)
    return found


def _alike(ones: Floats, others: Floats) -> tuple[NDArray[np.intp], ...]:
    """Which of two arrays of `_Looks.seen` are worth a look: their places in ones x shares x others x shares."""
    compared = [values.reshape(-1, values.shape[-1]) for values in (ones, others)]
    found = compared[0] @ compared[1].T >= _WORTH_A_LOOK
    return found.reshape(*ones.shape[:2], *others.shape[:2]).nonzero()


def _same(ones: _Looks, others: _Looks, view: View) -> NDArray[np.bool_]:
    """Which of two lists of pictures show the same where both are lit, ones x others."""
    import numpy as np

    ones = ones.mirrored() if view.mirrored else ones
    lit = (ones.lit((view.shown,)) & others.lit((view.tested,))[:, 0]).astype(np.float32)
    shown = _standardised(ones.grey((view.shown,)), lit, least=_LEAST_LIT_CONTRAST)
    tested = _standardised(others.grey((view.tested,))[:, 0], lit, least=_LEAST_LIT_CONTRAST)
    found: NDArray[np.bool_] = (shown * tested).sum(axis=2) >= _LEAST_CORRELATION
    found &= lit.mean(axis=2) >= _LEAST_LIT
    return found
