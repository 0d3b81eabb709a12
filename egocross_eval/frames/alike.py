"""Clips that look alike although their pictures differ, as copies that were compressed again or scaled do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.frames.pixels import Seen, pictures_seen
from egocross_eval.frames.shared import Clip

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_LEAST_CORRELATION = 0.995
"""Of two thumbnails that show the same. Copies at JPEG quality 20 and at a quarter of the size have 0.9994 and more."""

_MOST_OFF = 4.0
"""Root of the mean square difference of their grey values, of 255: at most 1.5 in such copies."""

_LEAST_CONTRAST = 8.0
"""Standard deviation of a thumbnail's grey values, below which too little is seen to tell pictures apart."""

_FEWEST = 2
"""Pictures that a clip has at least, to tell it by how they look."""

_AT_ONCE = 2_000
"""Tested clips that are compared at once: a bound of memory."""


class Alike(NamedTuple):
    """Two clips of different owners of which one looks as a part of the other does."""

    shown: Clip
    tested: Clip


def alike_clips(shown: Sequence[Clip], tested: Sequence[Clip]) -> list[Alike]:
    """Pairs of a `shown` and a `tested` clip of another owner whose pictures differ and look alike, in all frames of
    one of the two.

    Tested clips whose first frame looks as none of those shown are passed over. Frames that are all but plain tell
    nothing; a picture that both have is told by `shared_frames`.
    """
    tested = [clip for clip in tested if clip.paths]
    seen = pictures_seen(path for clip in shown for path in clip.paths) | pictures_seen(c.paths[0] for c in tested)
    near = _near(shown, tested, seen)
    seen |= pictures_seen(path for _, clip in near for path in clip.paths)
    return [Alike(one, other) for one, other in near if _is_part(one, other, seen)]


def _near(shown: Sequence[Clip], tested: Sequence[Clip], seen: Mapping[str, Seen]) -> list[tuple[Clip, Clip]]:
    """Pairs where the first picture of the tested clip looks as one of the shown clip's and is another."""
    frames = [(clip, seen[path]) for clip in shown for path in clip.paths if path in seen]
    firsts = [(clip, seen[clip.paths[0]]) for clip in tested if clip.paths[0] in seen]
    found: dict[tuple[str, str], tuple[Clip, Clip]] = {}
    for start in range(0, len(firsts) if frames else 0, _AT_ONCE):
        some = firsts[start : start + _AT_ONCE]
        alike = _alike([picture for _, picture in frames], [picture for _, picture in some])
        for row, column in zip(*alike.nonzero(), strict=True):
            (one, picture), (other, first) = frames[row], some[column]
            if picture.digest != first.digest and one.owner != other.owner:
                found[one.name, other.name] = one, other
    return list(found.values())


def _is_part(one: Clip, other: Clip, seen: Mapping[str, Seen]) -> bool:
    """Whether all frames of one of the two clips look as one of the other's, and no picture is both clips'."""
    sides = [[seen[path] for path in clip.paths if path in seen and _tells(seen[path])] for clip in (one, other)]
    digests = [{picture.digest for picture in side} for side in sides]
    if min(map(len, digests)) < _FEWEST or digests[0] & digests[1]:
        return False
    alike = _alike(*sides)
    return bool(alike.any(axis=0).all() or alike.any(axis=1).all())


def _tells(picture: Seen) -> bool:
    return float(_grey([picture]).std()) >= _LEAST_CONTRAST


def _grey(pictures: Sequence[Seen]) -> Floats:
    """Grey values of thumbnails, pictures x pixels."""
    import numpy as np

    values = np.frombuffer(b"".join(picture.thumbnail for picture in pictures), np.uint8)
    return values.reshape(len(pictures), -1).astype(np.float64)


def _alike(ones: Sequence[Seen], others: Sequence[Seen]) -> NDArray[np.bool_]:
    """Which of two lists of pictures look alike, ones x others."""
    import numpy as np

    grey = [_grey(ones), _grey(others)]
    squares = [(values**2).mean(axis=1) for values in grey]
    off = squares[0][:, None] + squares[1] - 2 * grey[0] @ grey[1].T / grey[0].shape[1]
    unit = [(values - values.mean(axis=1, keepdims=True)) for values in grey]
    unit = [values / np.maximum(values.std(axis=1, keepdims=True), _LEAST_CONTRAST) for values in unit]
    correlation = unit[0] @ unit[1].T / grey[0].shape[1]
    found: NDArray[np.bool_] = (correlation >= _LEAST_CORRELATION) & (off <= _MOST_OFF**2)
    return found
