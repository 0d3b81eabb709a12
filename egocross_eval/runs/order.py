"""The order in which questions are asked: those about the same frames one after the other."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from egocross_eval.errors import UnsafePathError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from egocross_eval.frames.roots import DataRoot
    from egocross_eval.schema import Question


def neighbours(questions: Iterable[Question], root: DataRoot | None) -> list[Question]:
    """The questions, those with the same frames together, next to those that begin with the same frame.

    An engine that keeps what it computed, the keys and values of a prompt's beginning or an encoded frame, then has it
    still when the next question needs it. Such frames may be byte copies under other names; they are told by
    the sizes of their files alone, as nothing but the order depends on it. Groups, and the questions within one,
    keep the order they came in.
    """
    if root is None:
        return list(questions)
    by_start: dict[Hashable, dict[Hashable, list[Question]]] = {}
    for question in questions:
        frames = tuple(_looks(frame.name, root) for frame in question.frames)
        by_start.setdefault(frames[:1], {}).setdefault(frames, []).append(question)
    return [question for alike in by_start.values() for same in alike.values() for question in same]


def cluster_by_cluster(questions: Iterable[Question], root: DataRoot | None) -> list[Question]:
    """The questions with whole clusters (source videos) one after the other, in an order that is random but the same in
    all runs, so that runs under way can be compared on the clusters that they have finished."""
    clusters: dict[str, list[Question]] = {}
    for question in questions:
        clusters.setdefault(question.cluster or question.key, []).append(question)
    shuffled = sorted(clusters, key=lambda name: hashlib.sha256(name.encode()).digest())
    return [question for name in shuffled for question in neighbours(clusters[name], root)]


def _looks(name: str, root: DataRoot) -> int | str:
    """Size of a frame's file in bytes, or the frame's name where there is no such file."""
    try:
        return os.stat(root.resolve_str(name)).st_size  # noqa: PTH116 - called for every frame of a run
    except (OSError, UnsafePathError):
        return name
