"""A run in shards: the same command on several machines, each with its part of the questions."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from egocross_eval.counted import counted
from egocross_eval.errors import UsageError
from egocross_eval.schema import Question, ShardRecord

_FORM = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")


def parse_shard(text: str) -> tuple[int, int]:
    """Number and count of `3/8`. Raises `UsageError` for anything else."""
    match = _FORM.fullmatch(text)
    number, of = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= number <= of:
        raise UsageError(f"--shard {text!r}: it must be K/N, the Kth of N shards, such as 3/8")
    return number, of


def shard_places(questions: Sequence[Question], number: int, of: int) -> tuple[int, ...]:
    """Places of the questions of a shard, in their order.

    Questions about the same frames stay together, and so do clusters where they can, so that what engines keep of them
    is of use; shards have about the same number of frames. It depends on the questions alone: every machine divides
    them alike. Raises `UsageError` where there is nothing for the shard.
    """
    order = sorted(range(len(questions)), key=lambda place: (*_together(questions[place]), place))
    groups = [list(group) for _, group in itertools.groupby(order, key=lambda place: _together(questions[place]))]
    weights = [sum(1 + len(questions[place].frames) for place in group) for group in groups]
    total, before, mine = sum(weights), 0, []
    for group, weight in zip(groups, weights, strict=True):
        # The shard that the group's middle falls into.
        if (2 * before + weight) * of // (2 * total) == number - 1:
            mine += group
        before += weight
    if not mine:
        raise UsageError(
            f"--shard {number}/{of}: {counted(len(questions), 'question')} on {counted(len(groups), 'different clip')} "
            "leave nothing for it; "
            "use fewer shards"
        )
    return tuple(sorted(mine))


def _together(question: Question) -> tuple[str, tuple[str, ...]]:
    return question.cluster or question.key, tuple(frame.name for frame in question.frames)


def shard_of(questions: Sequence[Question], text: str, whole_hash: str) -> tuple[tuple[Question, ...], ShardRecord]:
    """The questions of the shard `K/N`, and what its run records of the whole. Raises `UsageError` as above."""
    number, of = parse_shard(text)
    places = shard_places(questions, number, of)
    record = ShardRecord(number=number, of=of, question_count=len(questions), questions_hash=whole_hash, places=places)
    return tuple(questions[place] for place in places), record
