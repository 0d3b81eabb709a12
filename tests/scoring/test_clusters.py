"""Variances between clusters and their degrees of freedom, against the matrices that define them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import linalg

from egocross_eval.scoring.clusters import Parts, layout, parts, pooled

SIZES = st.lists(st.integers(1, 7), min_size=2, max_size=8)


def by_matrices(values: np.ndarray, clusters: np.ndarray) -> tuple[float, float]:
    """CR2 variance of a mean and Bell and McCaffrey's degrees of freedom, with independent questions as the working
    model."""
    n = len(values)
    design = np.ones((n, 1))
    hat = design @ design.T / n
    residuals = values - values.mean()
    variance, columns = 0.0, []
    for name in np.unique(clusters):
        members = clusters == name
        block = np.eye(members.sum()) - hat[np.ix_(members, members)]
        root = linalg.inv(linalg.sqrtm(block).real)
        weights = root @ design[members, 0] / n
        variance += float(weights @ residuals[members]) ** 2
        columns.append((np.eye(n) - hat)[:, members] @ weights)
    product = np.array(columns) @ np.array(columns).T
    return variance, float(np.trace(product) ** 2 / (product**2).sum())


def of(values: np.ndarray, clusters: list[str], strata: list[str], *, macro: bool = False) -> Parts:
    row = values[None, :]
    return parts(row, np.ones(row.shape, dtype=np.bool_), layout(clusters, strata), macro=macro)


@given(SIZES, st.integers(0, 1000))
def test_one_stratum_has_the_cr2_variance_and_its_degrees_of_freedom(sizes: list[int], seed: int) -> None:
    clusters = np.repeat([f"c{i}" for i in range(len(sizes))], sizes)
    values = np.random.default_rng(seed).random(len(clusters))
    variance, freedom = by_matrices(values, clusters)
    found = of(values, clusters.tolist(), ["s"] * len(clusters))
    assert found.estimate[0] == pytest.approx(values.mean())
    assert found.variance[0, 0] == pytest.approx(variance)
    assert found.freedom[0, 0] == pytest.approx(freedom)


def test_clusters_of_equal_size_have_one_degree_less_than_their_number() -> None:
    found = of(np.arange(12.0), [f"c{i // 3}" for i in range(12)], ["s"] * 12)
    assert found.freedom[0, 0] == pytest.approx(3)


def test_strata_count_by_their_questions_or_alike() -> None:
    values = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 1.0])
    clusters, strata = ["a", "a", "b", "b", "c", "d"], ["x"] * 4 + ["y"] * 2
    assert of(values, clusters, strata).estimate[0] == pytest.approx(4 / 6)
    assert of(values, clusters, strata, macro=True).estimate[0] == pytest.approx((3 / 4 + 1 / 2) / 2)


def test_variances_of_strata_add_up_and_their_degrees_are_welchs() -> None:
    rng = np.random.default_rng(1)
    values = rng.random(30)
    clusters, strata = [f"c{i // 3}" for i in range(30)], ["x"] * 12 + ["y"] * 18
    found = of(values, clusters, strata)
    variance, freedom = pooled(found, np.zeros((1, 2)))
    apart = [by_matrices(values[:12], np.array(clusters[:12])), by_matrices(values[12:], np.array(clusters[12:]))]
    scaled = [apart[0][0] * 0.4**2, apart[1][0] * 0.6**2]
    assert variance[0] == pytest.approx(sum(scaled))
    assert freedom[0] == pytest.approx(sum(scaled) ** 2 / (scaled[0] ** 2 / apart[0][1] + scaled[1] ** 2 / apart[1][1]))


def test_the_order_of_the_questions_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    values, clusters = rng.random(40), [f"c{i // 3}" for i in range(40)]
    strata = ["x" if i < 21 else "y" for i in range(40)]
    order = rng.permutation(40)
    mixed = of(values[order], [clusters[i] for i in order], [strata[i] for i in order])
    assert mixed.variance == pytest.approx(of(values, clusters, strata).variance)


def test_questions_that_do_not_count_are_as_if_they_were_not_there() -> None:
    rng = np.random.default_rng(3)
    values, clusters, strata = rng.random(40), [f"c{i // 3}" for i in range(40)], ["x"] * 21 + ["y"] * 19
    counted = np.ones((1, 40), dtype=np.bool_)
    counted[0, [0, 1, 2, 5, 30]] = False
    left = np.flatnonzero(counted[0])
    some = parts(values[None, :], counted, layout(clusters, strata))
    none = of(values[left], [clusters[i] for i in left], [strata[i] for i in left])
    assert some.estimate == pytest.approx(none.estimate)
    assert some.variance == pytest.approx(none.variance)
    assert some.clusters[0] == none.clusters[0] == 13


def test_a_stratum_of_one_cluster_among_crossed_ones_keeps_its_weight_and_has_a_part_in_the_variance() -> None:
    clusters, strata = [f"c{i}" for i in range(8) for _ in range(4)], ["x", "x", "y", "y"] * 8
    values = np.random.default_rng(4).choice([0.0, 1.0], size=len(clusters))
    beside = np.append(values, [1.0] * 6)
    found = of(beside, [*clusters, *["c0"] * 6], [*strata, *["z"] * 6], macro=True)
    mean = np.mean([values[np.array(strata) == name].mean() for name in "xy"] + [1.0])
    assert found.estimate[0] == pytest.approx(mean)
    assert found.contribution.sum() == pytest.approx(mean)
    within = of(np.append(values, [mean] * 6), [*clusters, *["c0"] * 6], [*strata, *["z"] * 6], macro=True)
    assert found.variance.sum() > within.variance.sum()


def test_a_cluster_that_lies_in_two_strata_stays_whole() -> None:
    # Four videos, each with questions of both types that are right or wrong together.
    clusters = [f"c{i}" for i in (0, 1, 2, 3) for _ in range(6)]
    types = ["seen", "seen", "seen", "told", "told", "told"] * 4
    values = np.repeat([1.0, 0.0, 1.0, 0.0], 6)
    found = of(values, clusters, types, macro=True)
    variance, _ = pooled(found, np.zeros(found.variance.shape))
    assert found.estimate[0] == pytest.approx(0.5)
    assert variance[0] == pytest.approx(by_matrices(values, np.array(clusters))[0])
