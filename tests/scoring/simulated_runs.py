"""Simulated outcomes on clusters of questions, for the tests of coverage, size and power.

A structure says which cluster (source video) and stratum (domain) each question has. Accuracies come from clusters that
have a chance of their own, drawn from a beta distribution, so that questions of a cluster go together with the
correlation given. Runs that are compared come from a probit model: questions and clusters are hard for all models
alike, and some clusters are harder for one model than for another. That alone makes differences clustered.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scored_samples import VIDEO_SIZES

from egocross_eval.scoring.clusters import Layout, layout

Floats = NDArray[np.float64]
LONG = "EGOCROSS_LONG_SIMULATIONS" in os.environ
"""Whether to take the time for many rows (some minutes) rather than the short form."""
ALIKE = 0.72
"""Share of the variance that a question has for all models: they agree on more."""
APART = 0.45


class Structure(NamedTuple):
    clusters: tuple[str, ...]
    """By question."""
    strata: tuple[str, ...]
    parts: dict[str, tuple[int, ...]]
    """Questions of the datasets, types and cells that are looked at besides the strata."""

    @property
    def layout(self) -> Layout:
        return layout(self.clusters, self.strata)

    def of(self, stratum: str) -> list[int]:
        return [place for place, name in enumerate(self.strata) if name == stratum]

    def part(self, places: list[int] | tuple[int, ...]) -> Structure:
        return Structure(tuple(self.clusters[i] for i in places), tuple(self.strata[i] for i in places), {})


def egocross_like() -> Structure:
    """The testbed's 132 videos; of surgery, 5 are EgoSurgery's with 20 questions each."""
    clusters, strata = _blocks(VIDEO_SIZES)
    small = [name for name in dict.fromkeys(clusters) if clusters.count(name) == 20][:5]
    dataset = tuple(i for i, name in enumerate(clusters) if name in small)
    # Six questions of each of four videos, as next action prediction has.
    four = tuple(
        i
        for name in [c for c in dict.fromkeys(clusters) if c.startswith("surgery")][:4]
        for i in [k for k, c in enumerate(clusters) if c == name][:6]
    )
    # Every seventh question, from wherever it is, as a type that several domains have.
    spread = tuple(range(0, len(clusters), 7))
    return Structure(clusters, strata, {"EgoSurgery": dataset, "four videos": four, "a type": spread})


def other() -> Structure:
    """A benchmark of another shape: three domains, 75 clusters of 3 to 30 questions."""
    rng = np.random.default_rng(2026)
    sizes = {
        "one": rng.integers(3, 9, size=40).tolist(),
        "two": rng.integers(5, 20, size=25).tolist(),
        "three": rng.integers(15, 31, size=10).tolist(),
    }
    clusters, strata = _blocks(sizes)
    return Structure(clusters, strata, {"every fifth": tuple(range(0, len(clusters), 5))})


def _blocks(sizes: dict[str, list[int]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    clusters = [f"{name}/{i}" for name, group in sizes.items() for i, n in enumerate(group) for _ in range(n)]
    return tuple(clusters), tuple(name.split("/")[0] for name in clusters)


def outcomes(
    structure: Structure, accuracy: float, correlation: float | dict[str, float], rows: int, seed: int
) -> Floats:
    """Right or wrong by row and question; the correlation may differ by stratum."""
    rng = np.random.default_rng(seed)
    names, cluster = np.unique(structure.clusters, return_inverse=True)
    by_cluster = dict(zip(structure.clusters, structure.strata, strict=True))
    chances = np.full((rows, len(names)), accuracy)
    for place, name in enumerate(names):
        rho = correlation[by_cluster[name]] if isinstance(correlation, dict) else correlation
        if rho > 0:
            spread = 1 / rho - 1
            chances[:, place] = rng.beta(accuracy * spread, (1 - accuracy) * spread, size=rows)
    return (rng.random((rows, len(structure.clusters))) < chances[:, cluster]).astype(np.float64)


def boards(
    structure: Structure, accuracies: list[float], between: float, rows: int, seed: int, *, question: float = APART
) -> Floats:
    """Right or wrong by row, run and question.

    Of the whole variance of 1, `between` is that of clusters that is a run's own; clusters share 0.1 with all runs and
    questions `question`.
    """
    rng = np.random.default_rng(seed)
    names, cluster = np.unique(structure.clusters, return_inverse=True)
    n, runs = len(structure.clusters), len(accuracies)
    found = np.empty((rows, runs, n))
    for row in range(rows):
        shared = np.sqrt(0.1) * rng.standard_normal(len(names))[cluster] + np.sqrt(question) * rng.standard_normal(n)
        own = np.sqrt(between) * rng.standard_normal((runs, len(names)))[:, cluster]
        rest = np.sqrt(max(0.0, 0.9 - question - between)) * rng.standard_normal((runs, n))
        found[row] = shared + own + rest < ndtri(np.asarray(accuracies))[:, None]
    return found
