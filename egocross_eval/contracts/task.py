"""The contract of a task: a named set of questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from egocross_eval.schema import Question

Split = Literal["testbed", "support", "demo"]


class DataSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where the benchmark's files lie. Every part has a default below `root`."""

    root: Path
    """The data root: frames are resolved below it and never outside."""
    split: str = "testbed"
    questions_file: Path | None = None
    answers_file: Path | None = None


class Questions(msgspec.Struct, frozen=True, kw_only=True):
    """What a task loads."""

    root: Path
    """Data root that the frame names are relative to."""
    questions: tuple[Question, ...]
    files: tuple[Path, ...] = ()
    """The files that were read: their hashes go into `run.json`."""
    warnings: tuple[str, ...] = ()


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A registered task."""

    name: str
    kind: str
    """What the name selects by: `domain`, `category`, `question type`, `dataset`, `group`."""
    description: str
    load: Callable[[DataSource], Questions]
    """Reads the questions of one split; raises `DataError` where the split or its files aren't there."""
    counts: dict[str, int] = {}
    """Number of questions by split where it's known without reading data."""


QuestionFilter = Callable[[Question], bool]
Loader = Callable[[DataSource], Questions]
QuestionList = Sequence[Question]
