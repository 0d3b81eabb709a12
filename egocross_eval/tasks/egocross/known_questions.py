"""What the published testbed asks: a digest of each question, by which those of a run are known to be the testbed's."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_name("testbed_questions.txt")
"""A line for each question: its key, and its digests in the closed and in the open format."""


_VIDEO = re.compile(r"^([^_]+)_(.+?)_q[0-9]+_")
"""Dataset and video at the beginning of a key."""


class _Digests(NamedTuple):
    closed: dict[str, str]
    opened: dict[str, str]


@cache
def _digests() -> _Digests:
    lines = [line.split(" ") for line in FILE.read_text(encoding="utf-8").splitlines()]
    return _Digests({key: closed for key, closed, _ in lines}, {key: opened for key, _, opened in lines})


def closed_questions(split: str) -> dict[str, str]:
    """Digests (`Question.digest`) by key; none of another split, whose questions anybody may have others of."""
    return _digests().closed if split == "testbed" else {}


@cache
def testbed_videos() -> frozenset[str]:
    """Source videos, as `Question.cluster` names them."""
    return frozenset("/".join(_VIDEO.findall(key)[0]) for key in _digests().closed)


def open_questions(split: str) -> dict[str, str]:
    """The same in the open format."""
    return _digests().opened if split == "testbed" else {}
