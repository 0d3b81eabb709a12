"""How often the 95 % intervals of accuracies hold the truth.

Every interval of a run, over structures, accuracies and correlations within clusters. With EGOCROSS_LONG_SIMULATIONS
set, all cells with 1,500 rows, else a selection with fewer.
"""

from __future__ import annotations

import numpy as np
import pytest
from simulated_runs import LONG, Structure, egocross_like, other, outcomes

from egocross_eval.scoring.accuracy import Correlation, accuracy_interval, correlation, summed

ROWS = 1500 if LONG else 300
MIXED = {"animal": 0.0, "industry": 0.1, "xsports": 0.05, "surgery": 0.3}
ACCURACIES = (0.25, 0.45, 0.66, 0.9, 0.97) if LONG else (0.45, 0.9)
CORRELATIONS = (0.0, 0.05, 0.15, 0.3) if LONG else (0.0, 0.3)
FEW = ("EgoSurgery", "four videos")
"""Parts with four or five clusters: their intervals are wider than need be where questions are independent."""

pytestmark = pytest.mark.slow


def held(structure: Structure, accuracy: float, rho: float | dict[str, float], seed: int) -> dict[str, float]:
    """Share of the rows whose interval holds the accuracy, by figure."""
    strata = sorted(set(structure.strata))
    places = {name: structure.of(name) for name in strata} | {k: list(v) for k, v in structure.parts.items()}
    count = dict.fromkeys(("micro", "macro", *places), 0)
    for row in outcomes(structure, accuracy, rho, ROWS, seed).tolist():
        priors: dict[str, Correlation] = {}
        for name in strata:
            members = structure.of(name)
            priors[name] = correlation([row[i] for i in members], [structure.clusters[i] for i in members])
        for name in ("micro", "macro"):
            found = accuracy_interval(row, structure.clusters, structure.strata, macro=name == "macro")
            count[name] += found.low <= accuracy <= found.high
        for name, members in places.items():
            part = structure.part(members)
            prior = summed(priors[one] for one in set(part.strata))
            found = accuracy_interval([row[i] for i in members], part.clusters, part.strata, prior=prior)
            count[name] += found.low <= accuracy <= found.high
    return {name: hits / ROWS for name, hits in count.items()}


def check(found: dict[str, float], *, least: float, most: float) -> None:
    chance = 2.5 * (0.05 * 0.95 / ROWS) ** 0.5
    for name, share in found.items():
        assert share >= least - chance, (name, share)
        assert share <= (1.0 if name in FEW else most + chance), (name, share)


@pytest.mark.parametrize("structure", [egocross_like(), other()], ids=["testbed", "other"])
@pytest.mark.parametrize("accuracy", ACCURACIES)
@pytest.mark.parametrize("rho", CORRELATIONS)
def test_intervals_hold_the_truth_in_93_to_97_percent(structure: Structure, accuracy: float, rho: float) -> None:
    hardest = accuracy >= 0.9 and rho >= 0.3
    # Where questions are independent, groups of some ten clusters get a little more than they'd need.
    most = 0.985 if rho < 0.05 or accuracy > 0.9 else 0.97
    check(
        held(structure, accuracy, rho, seed=int(1000 * accuracy + 100 * rho)),
        least=0.92 if hardest else 0.93,
        most=most,
    )


ALONE = {
    "two of fifty beside two": [(f"s{s}c{c}", f"s{s}") for s in (0, 1) for c in range(16) for _ in range(15)]
    + [(f"s{s}", f"s{s}") for s in (2, 3) for _ in range(50)],
    "four of twenty": [(f"s{s}", f"s{s}") for s in range(4) for _ in range(20)],
}
"""Cluster and stratum of each question."""

TINY = {"8 questions": (1, 2, 1, 4), "one beside many": (1, 1, 1, 20), "two videos": (4, 4, 4, 4)}


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("accuracy", [0.25, 0.5])
def test_they_do_where_domains_have_a_question_or_a_video_each(name: str, accuracy: float) -> None:
    strata = [f"s{i}" for i, size in enumerate(TINY[name]) for _ in range(size)]
    clusters = [f"s{i}c{j // 2}" for i, size in enumerate(TINY[name]) for j in range(size)]
    rows = (np.random.default_rng(3).random((ROWS, len(strata))) < accuracy).astype(float).tolist()
    for macro in (False, True):
        found = [accuracy_interval(row, clusters, strata, macro=macro) for row in rows]
        share = sum(one.low <= accuracy <= one.high for one in found) / ROWS
        assert share >= 0.95 - 2.5 * (0.05 * 0.95 / ROWS) ** 0.5


@pytest.mark.parametrize("rho", [0.0, 0.15])
@pytest.mark.parametrize("name", ALONE)
def test_they_do_where_several_domains_have_one_video_with_many_questions(name: str, rho: float) -> None:
    clusters, strata = zip(*ALONE[name], strict=True)
    structure = Structure(clusters, strata, {})
    for macro in (False, True):
        rows = outcomes(structure, 0.45, rho, ROWS, seed=4).tolist()
        found = [accuracy_interval(row, clusters, strata, macro=macro) for row in rows]
        share = sum(one.low <= 0.45 <= one.high for one in found) / ROWS
        assert share >= 0.93 - 2.5 * (0.05 * 0.95 / ROWS) ** 0.5, macro


def test_they_do_where_domains_differ_in_their_correlation() -> None:
    check(held(egocross_like(), 0.45, MIXED, seed=5), least=0.93, most=0.97)


def test_means_of_repeated_runs_get_narrower_and_hold_the_truth() -> None:
    structure, noise, seeds = egocross_like(), 0.5, 3
    rng = np.random.default_rng(8)
    names, cluster = np.unique(structure.clusters, return_inverse=True)
    hits, width, single = 0, 0.0, 0.0
    for _ in range(ROWS):
        chance = rng.beta(0.45 * 9, 0.55 * 9, size=len(names))[cluster]
        knows = rng.random(len(cluster)) < chance
        answers = rng.random((seeds, len(cluster))) < (1 - noise) * knows + noise * chance
        mean = accuracy_interval(answers.mean(axis=0).tolist(), structure.clusters, structure.strata)
        one = accuracy_interval(answers[0].astype(float).tolist(), structure.clusters, structure.strata)
        hits += mean.low <= 0.45 <= mean.high
        width += mean.high - mean.low
        single += one.high - one.low
    check({"mean of three": hits / ROWS}, least=0.93, most=0.97)
    assert width < 0.93 * single
