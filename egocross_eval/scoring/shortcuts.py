"""What a score owes to shortcuts: to guessing without looking, and to a liking for a letter."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.scoring.difference import Differences, differences

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from egocross_eval.scoring.clusters import Layout

    Floats = NDArray[np.float64]


def abbott_share(run: Floats, blind: Floats, placed: Layout) -> Differences | None:
    """The share of what a blind run doesn't get that the run gets: (a - b) / (1 - b), with its standard error.

    It's how often a model sees the answer, if seeing adds to what it could guess (Abbott, Journal of Economic
    Entomology 18 (1925), 265); negative where the run is worse than blind. `run` and `blind` are what each question is
    worth in either. None where the blind run has all questions right. The error is by the delta method, with the
    variance between clusters.
    """
    import numpy as np

    a, b = float(run.mean()), float(blind.mean())
    if b >= 1:
        return None
    share = (a - b) / (1 - b)
    influence = share + ((run - a) - (1 - share) * (blind - b)) / (1 - b)
    return differences(influence[None, :], np.ones((1, len(run)), dtype=np.bool_), placed)


_DEALS = 1_999
"""Random deals of the letters."""
_AT_ONCE = 500_000
"""Numbers dealt at once: bounds the memory."""


class Letters(NamedTuple):
    """How a model spreads its answers over the letters when every option stands once behind every letter."""

    shares: tuple[float, ...]
    """By letter. They are all alike for a model that follows what the options say."""
    distance: float
    """Total variation from that: the share of answers that would have to move."""
    p: float
    """Chance of an excess as large (sum of squares) if the model liked no letter better than the others."""


def letters(counts: Floats, clusters: Sequence[str], *, seed: int = 0) -> Letters:
    """The letters that were answered over all rotations of a question: `counts` are questions x letters, each row
    adding up to the number of rotations; one cluster for each question.

    The test deals the letters anew within each cluster, as if its liking could have been for any of them. So a liking
    that changes from cluster to cluster is none.
    """
    import numpy as np

    shares = counts / counts.sum(axis=1, keepdims=True)
    number = counts.shape[1]
    _, cluster = np.unique(np.asarray(clusters, dtype=np.str_), return_inverse=True)
    sums = np.zeros((int(cluster.max()) + 1, number))
    np.add.at(sums, cluster, shares - 1 / number)
    excess = sums.sum(axis=0)
    rng = np.random.default_rng(seed)
    as_far = 0
    batch = max(1, _AT_ONCE // sums.size)
    for done in range(0, _DEALS, batch):
        shape = (min(batch, _DEALS - done), *sums.shape)
        dealt = np.take_along_axis(np.broadcast_to(sums, shape), rng.random(shape).argsort(axis=2), axis=2).sum(axis=1)
        as_far += int(((dealt**2).sum(axis=1) >= (excess**2).sum() - 1e-9).sum())
    distance = float(np.abs(excess).sum()) / (2 * len(counts))
    return Letters(tuple(shares.mean(axis=0).tolist()), distance, (1 + as_far) / (_DEALS + 1))


def same_place_by_chance(options: Sequence[int]) -> float:
    """Share of the questions, with these numbers of options, on which pure guessing answers the same place in all
    rotations."""
    return sum(float(number) ** (1 - number) for number in options) / len(options)
