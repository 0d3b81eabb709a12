"""All pairs of several runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.scoring.difference import Differences, differences

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from egocross_eval.scoring.clusters import Layout

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

_BATCH = 512
"""Pairs worked on at once: bounds the memory (512 pairs of 957 questions: some 4 MB an array)."""


class Pairs(NamedTuple):
    """Pairs of runs by their numbers, and the second of each compared with the first."""

    first: Ints
    second: Ints
    differences: Differences


def pairs(values: Floats, counted: Flags, placed: Layout, *, macro: bool = False) -> Pairs:
    """Every two of several runs that share a question, compared on those that they share.

    `values` are what each question is worth in each run (runs x questions), `counted` where that is known.
    """
    import numpy as np

    first, second = np.triu_indices(len(values), 1)
    sharing = (counted.astype(np.float64) @ counted.T.astype(np.float64))[first, second] > 0
    first, second = first[sharing], second[sharing]
    found = [
        differences(values[b] - values[a], counted[a] & counted[b], placed, macro=macro)
        for a, b in _batches(first, second)
    ]
    columns = [np.concatenate(column) for column in zip(*found, strict=True)] if found else [np.zeros(0)] * 5
    return Pairs(first, second, Differences(*columns))


def _batches(first: Ints, second: Ints) -> list[tuple[Ints, Ints]]:
    return [(first[i : i + _BATCH], second[i : i + _BATCH]) for i in range(0, len(first), _BATCH)]
