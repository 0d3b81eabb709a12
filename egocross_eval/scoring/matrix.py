"""What became of each question in each of several runs, as arrays over runs and questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.scoring.board import Pairs, pairs
from egocross_eval.scoring.clusters import layout
from egocross_eval.scoring.results import SCORED

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from egocross_eval.schema import BenchmarkRecord
    from egocross_eval.scoring.align import Aligned

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]


class Matrix(NamedTuple):
    """Arrays are runs x questions."""

    asked: Flags
    scored: Flags
    """Counts: answered, and the right answer is known."""
    right: Flags
    credit: Floats
    prediction: NDArray[np.object_]
    """What was graded; empty where nothing was."""
    sent: NDArray[np.object_]
    """Content hashes of what was asked; empty where it isn't known."""
    parts: tuple[str, ...]
    """By question, its group of the macro average."""
    clusters: tuple[str, ...]


def matrix(aligned: Aligned, benchmark: BenchmarkRecord) -> Matrix:
    """The arrays of aligned runs."""
    import numpy as np

    shape = (len(aligned.samples), len(aligned.questions))
    asked, scored, right = (np.zeros(shape, dtype=np.bool_) for _ in range(3))
    credit = np.zeros(shape)
    prediction, sent = (np.full(shape, "", dtype=object) for _ in range(2))
    for run, samples in enumerate(aligned.samples):
        for place, sample in enumerate(samples):
            if sample is None:
                continue
            asked[run, place] = True
            scored[run, place] = sample.outcome in SCORED and sample.question.target is not None
            right[run, place] = sample.outcome == "right"
            credit[run, place] = sample.grade.credit
            prediction[run, place] = sample.grade.prediction or ""
            sent[run, place] = "".join(answer.sent.content_hash for answer in sample.answers)
    parts = tuple(benchmark.part(question) for question in aligned.questions)
    clusters = tuple(question.cluster or question.key for question in aligned.questions)
    return Matrix(asked, scored, right, credit, prediction, sent, parts, clusters)


class Counts(NamedTuple):
    """Numbers of questions of each pair of runs, and sums of credits over those that both have scored."""

    n: Ints
    first_right: Ints
    second_right: Ints
    gained: Ints
    """Only the second has them right."""
    lost: Ints
    first_credit: Floats
    second_credit: Floats


class GroupPairs(NamedTuple):
    """All pairs of runs that share a scored question of a group, compared on those."""

    pairs: Pairs
    counts: Counts


def compare_group(found: Matrix, places: Sequence[int], *, macro: bool = False) -> GroupPairs:
    """The pairs of runs on the questions at `places`, at least one."""
    members = list(places)
    scored = found.scored[:, members]
    placed = layout([found.clusters[i] for i in members], [found.parts[i] for i in members])
    compared = pairs(found.credit[:, members], scored, placed, macro=macro)
    a, b = compared.first, compared.second
    both = scored.astype(float)
    right, wrong = found.right[:, members] * both, (~found.right[:, members]) * both
    credit = found.credit[:, members] * both
    shared = both @ both.T
    first, second = credit @ both.T, both @ credit.T
    if macro:
        first = _evenly(found, members, credit, both) * shared
        second = first.T
    counts = Counts(
        n=_whole(shared, a, b),
        first_right=_whole(right @ both.T, a, b),
        second_right=_whole(both @ right.T, a, b),
        gained=_whole(wrong @ right.T, a, b),
        lost=_whole(right @ wrong.T, a, b),
        first_credit=first[a, b],
        second_credit=second[a, b],
    )
    return GroupPairs(compared, counts)


def _evenly(found: Matrix, members: Sequence[int], credit: Floats, both: Floats) -> Floats:
    """Runs x runs: the row's mean credit on what it shares with the column, averaged over the axis' groups."""
    import numpy as np

    parts = np.array([found.parts[place] for place in members], object)
    total, count = np.zeros((2, len(both), len(both)))
    for part in dict.fromkeys(parts):
        inside = parts == part
        shared = both[:, inside] @ both[:, inside].T
        total += np.divide(credit[:, inside] @ both[:, inside].T, shared, out=np.zeros_like(shared), where=shared > 0)
        count += shared > 0
    return np.divide(total, count, out=total, where=count > 0)


def _whole(values: Floats, a: Ints, b: Ints) -> Ints:
    import numpy as np

    return np.rint(values[a, b]).astype(np.int64)
