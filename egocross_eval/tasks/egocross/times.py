"""When each frame of a clip was taken, by the rule of its dataset, and what segment a question's text names.

The rules were measured on the testbed and the support set. Where they contradict the dataset card the data are right:
in all 100 EgoSurgery questions the clip's stated end is 2 s times the difference of the last and first file number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

Sampling = Literal["testbed", "support"]


class TimeRule(msgspec.Struct, frozen=True, kw_only=True):
    """How the frames of a clip are timed; the clip starts at its first frame."""

    by: Literal["position", "number"]
    """Whether the place in the list counts, or the number in the file name (frames were dropped in between)."""
    rate: float
    """Steps of position or number per second."""
    step: float
    """Seconds between neighbouring frames where none is missing: how far the last frame reaches."""
    number_step: int = 1
    """Difference of the numbers of neighbouring frames where none is missing (`by` number)."""


_SAMPLED = TimeRule(by="position", rate=0.5, step=2.0)
_SOURCE_25_FPS = TimeRule(by="number", rate=25.0, step=1.0, number_step=25)
_EGOSURGERY = TimeRule(by="number", rate=0.5, step=2.0)
_SUPPORT_25_FPS = TimeRule(by="number", rate=25.0, step=0.0, number_step=0)


def time_rule(dataset: str, file_name: str, sampling: Sampling = "testbed") -> TimeRule | None:
    """The rule for clips of `dataset` whose files look like `file_name`; None where no rule is known.

    The support set was sampled otherwise: unevenly spread frames whose names carry the source's frame numbers at 25 fps
    (EgoPet, ExtrameSportFPV), and annotated frames only, whose offset from the start of the clip isn't known (ENIGMA).
    """
    if dataset == "EgoSurgery":
        return _EGOSURGERY
    if dataset == "CholecTrack20" and file_name.lower().endswith(".png"):
        return _SOURCE_25_FPS
    if sampling == "support":
        return _SUPPORT_25_FPS if dataset in ("EgoPet", "ExtrameSportFPV") else None
    return _SAMPLED


_LAST_NUMBER = re.compile(r"([0-9]{1,18})(?=[^0-9]*$)")


def frame_number(name: str) -> int | None:
    """The last number in the file name of `name`, its extension apart: `04_1_640.jpg` is 640; None if it has none."""
    stem = name.rpartition("/")[2].rpartition(".")[0]
    match = _LAST_NUMBER.search(stem)
    return int(match[1]) if match else None


def frame_times(names: Sequence[str], rule: TimeRule | None) -> list[float | None]:
    """Seconds from the start of the clip for each of `names`, which are in time order.

    All None without a rule, or where the rule counts by number and a name has none.
    """
    if rule is None or not names:
        return [None] * len(names)
    if rule.by == "position":
        return [place / rule.rate for place in range(len(names))]
    numbers = [frame_number(name) for name in names]
    first = numbers[0]
    if first is None or None in numbers:
        return [None] * len(names)
    return [(number - first) / rule.rate for number in numbers if number is not None]


def missing_frames(names: Sequence[str], rule: TimeRule | None) -> int:
    """How many frames the numbering of `names` (in time order) leaves out; 0 where the rule doesn't count by number."""
    if rule is None or rule.by != "number" or rule.number_step == 0:
        return 0
    numbers = [number for number in map(frame_number, names) if number is not None]
    if len(numbers) < 2:
        return 0
    return max(0, (numbers[-1] - numbers[0]) // rule.number_step + 1 - len(set(numbers)))


_SECONDS = r"(\d+(?:\.\d+)?)\s*s\b"
_SEGMENT_END = re.compile(
    rf"from\s+{_SECONDS}\s+to\s+{_SECONDS}|segment\s+{_SECONDS}\s*-\s*{_SECONDS}|up to\s+{_SECONDS}"
)


def segment_end(text: str) -> float | None:
    """End in seconds of the segment that a question's text names, "from 8s to 13s" or "up to 30.00s"; else None."""
    match = _SEGMENT_END.search(text)
    if match is None:
        return None
    end = match[2] or match[4] or match[5]
    return float(end)
