"""How often 95 % intervals hold the truth, on simulated data with the testbed's 132 videos.

Each video has its own chance of a right answer, drawn from a beta distribution around its domain's, so that
questions on one video go together with the intra-video correlation given.
"""

from __future__ import annotations

import numpy as np
import pytest
from scored_samples import VIDEO_SIZES

from egocross_eval.scoring.intervals import Stratum, clustered
from egocross_eval.scoring.paired import difference_interval

DATA_SETS = 1000
REPLICATES = 1000
SIZES = [np.array(sizes) for sizes in VIDEO_SIZES.values()]
ACCURACIES = {"as published": (0.55, 0.34, 0.45, 0.48), "high": (0.85, 0.75, 0.8, 0.9)}


def chances(rng: np.random.Generator, mean: float, correlation: float, size: int) -> np.ndarray:
    if correlation == 0:
        return np.full(size, mean)
    spread = (1 - correlation) / correlation
    return rng.beta(mean * spread, (1 - mean) * spread, size=size)


@pytest.mark.slow
@pytest.mark.parametrize("accuracies", ACCURACIES.values(), ids=ACCURACIES)
@pytest.mark.parametrize("correlation", [0.0, 0.1, 0.3])
def test_micro_and_macro_intervals_hold_the_truth_in_93_to_97_percent(
    accuracies: tuple[float, ...], correlation: float
) -> None:
    rng = np.random.default_rng(20)
    shares = [sizes.sum() / 957 for sizes in SIZES]
    truth = {"micro": np.dot(shares, accuracies), "macro": np.mean(accuracies)}
    weights = {"micro": shares, "macro": [0.25] * 4}
    held = {"micro": 0, "macro": 0}
    for _ in range(DATA_SETS):
        strata = [
            Stratum(rng.binomial(sizes, chances(rng, mean, correlation, len(sizes))).tolist(), sizes.tolist())
            for sizes, mean in zip(SIZES, accuracies, strict=True)
        ]
        for name in held:
            found = clustered(strata, weights[name], replicates=REPLICATES)
            assert found is not None
            held[name] += found.low <= truth[name] <= found.high
    for name, count in held.items():
        assert 0.93 <= count / DATA_SETS <= 0.97, name


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.2])
def test_intervals_of_paired_differences_hold_the_truth_in_93_to_97_percent(correlation: float) -> None:
    rng = np.random.default_rng(21)
    held = {False: 0, True: 0}
    # Of each domain's questions these shares are gained and lost, by video.
    gained, lost = (0.15, 0.10, 0.20, 0.12), (0.10, 0.12, 0.08, 0.12)
    net = np.array(gained) - np.array(lost)
    truth = {False: sum(n.sum() * d for n, d in zip(SIZES, net, strict=True)) / 957, True: net.mean()}
    for _ in range(DATA_SETS):
        changes: dict[str, dict[str, list[int]]] = {}
        for domain, sizes, up, down in zip(VIDEO_SIZES, SIZES, gained, lost, strict=True):
            flips = chances(rng, up + down, correlation, len(sizes))
            ups = chances(rng, up / (up + down), correlation, len(sizes))
            for video, (size, flip, share) in enumerate(zip(sizes, flips, ups, strict=True)):
                drawn = rng.multinomial(size, [flip * share, flip * (1 - share), 1 - flip])
                values = [1] * drawn[0] + [-1] * drawn[1] + [0] * drawn[2]
                changes.setdefault(domain, {})[str(video)] = values
        for macro in held:
            found = difference_interval(changes, macro=macro, replicates=REPLICATES)
            held[macro] += found.low <= truth[macro] <= found.high
    for count in held.values():
        assert 0.93 <= count / DATA_SETS <= 0.97
