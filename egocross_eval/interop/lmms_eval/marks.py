"""What a task of ours carries through lmms-eval, in its metadata: how its questions were chosen and asked."""

from __future__ import annotations

import msgspec

from egocross_eval.schema import RunSettings

MARK = "egocross_eval"
"""Key of the mark among the metadata of a task."""


class TaskMark(msgspec.Struct, frozen=True, kw_only=True):
    """How the questions of a task were chosen and asked."""

    version: str
    """Of this package."""
    benchmark: str
    part: str
    """Group of the macro average that the task's questions are; empty where there are no groups."""
    questions: int
    """Number of the task's questions."""
    questions_hash: str
    """Of the questions of all parts, as in `RunRecord`."""
    settings: RunSettings
    ids: str = ""
    """As `--ids` chose them."""
