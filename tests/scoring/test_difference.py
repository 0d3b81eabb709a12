"""Differences of two runs: interval, test, second opinions; their size and power are in test_size_and_power."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from simulated_runs import Structure, boards

from egocross_eval.scoring.clusters import layout
from egocross_eval.scoring.difference import Differences, differences, mcnemar_exact, sign_flip


def changed(by_cluster: list[list[int]], strata: list[str] | None = None, *, macro: bool = False) -> Differences:
    values = np.array([[float(v) for cluster in by_cluster for v in cluster]])
    names = [f"c{i}" for i, cluster in enumerate(by_cluster) for _ in cluster]
    of = strata or ["s"] * len(by_cluster)
    placed = layout(names, [of[i] for i, cluster in enumerate(by_cluster) for _ in cluster])
    return differences(values, np.ones(values.shape, dtype=np.bool_), placed, macro=macro)


def ends(found: Differences, level: float = 0.05) -> tuple[float, float]:
    low, high = found.interval(level)
    return float(low[0]), float(high[0])


CHANGES = st.lists(st.lists(st.sampled_from([-1, 0, 0, 1]), min_size=1, max_size=6), min_size=6, max_size=15)


@given(CHANGES)
def test_interval_and_p_never_contradict_each_other(by_cluster: list[list[int]]) -> None:
    found = changed(by_cluster)
    low, high = ends(found)
    assert (not low <= 0 <= high) == (found.p()[0] < 0.05)


def test_clusters_of_equal_size_give_students_t() -> None:
    by_cluster = [[1, 0, 0], [0, 0, -1], [1, 1, 0], [0, 0, 0], [1, 0, 1], [0, 1, -1], [1, 0, 0]]
    means = [sum(cluster) / 3 for cluster in by_cluster]
    found = changed(by_cluster)
    assert found.p()[0] == pytest.approx(stats.ttest_1samp(means, 0).pvalue)
    assert ends(found) == pytest.approx(stats.t.interval(0.95, 6, np.mean(means), stats.sem(means)))


def test_below_six_videos_there_is_no_p_but_an_interval() -> None:
    found = changed([[1, 1, 0, 0, 0, 0]] * 4)
    assert math.isnan(found.p()[0])
    low, high = ends(found)
    assert 0 < low < 1 / 3 < high < 1
    assert math.isfinite(changed([[1, 0, 0, 0]] * 6).p()[0])


def test_one_video_cannot_tell() -> None:
    assert ends(changed([[1, 1, 1, 0, 0, 0]])) == (-1, 1)


def test_no_flip_at_all_still_leaves_a_small_doubt() -> None:
    found = changed([[0] * 10] * 40)
    low, high = ends(found)
    assert -0.02 < low < 0 < high < 0.02
    assert found.p()[0] == 1


def test_clusters_that_are_all_alike_are_not_certain() -> None:
    assert 0.01 < changed([[1]] * 6).p()[0] < 0.06


def test_the_macro_difference_counts_domains_alike() -> None:
    by_cluster = [[1, 1, 1, 0]] * 30 + [[-1, 0]] * 30
    strata = ["animal"] * 30 + ["surgery"] * 30
    assert changed(by_cluster, strata).value[0] == pytest.approx((90 - 30) / 180)
    assert changed(by_cluster, strata, macro=True).value[0] == pytest.approx((0.75 - 0.5) / 2)


def test_a_domain_with_a_single_question_leaves_the_others_as_they_are() -> None:
    rng = np.random.default_rng(1)
    by_cluster = [rng.choice([-1, 0, 0, 1], size=10).tolist() for _ in range(30)]
    alone, joined = changed(by_cluster), changed([*by_cluster, [1]], ["s"] * 30 + ["t"])
    assert joined.error[0] == pytest.approx(alone.error[0], rel=0.05)
    assert joined.clusters[0] == 31


LONE = {
    "four alone": [(f"s{s}", f"s{s}") for s in range(4) for _ in range(20)],
    "two beside two": [(f"s{s}c{c}", f"s{s}") for s in (0, 1) for c in range(16) for _ in range(15)]
    + [(f"s{s}", f"s{s}") for s in (2, 3) for _ in range(50)],
    "types of one video among types of all": [(f"c{c}", f"t{t}") for t in (0, 1) for c in range(24) for _ in range(3)]
    + [(f"c{t}", f"t{t}") for t in (2, 3) for _ in range(6)],
}
"""Cluster and stratum of each question, where several strata have one cluster."""


@pytest.mark.parametrize("macro", [False, True])
@pytest.mark.parametrize(("name", "least"), [("four alone", 0.93), ("two beside two", 0.93), (list(LONE)[2], 0.8)])
def test_domains_of_one_video_have_their_part_in_how_sure_a_difference_is(name: str, least: float, macro: bool) -> None:
    clusters, strata = zip(*LONE[name], strict=True)
    runs = boards(Structure(clusters, strata, {}), [0.5, 0.5], 0.1, 300, seed=6)
    changes = runs[:, 1] - runs[:, 0]
    counted = np.ones(changes.shape, dtype=np.bool_)
    low, high = differences(changes, counted, layout(clusters, strata), macro=macro).interval()
    assert ((low <= 0) & (high >= 0)).mean() >= least


def test_the_smallest_difference_shrinks_with_the_clusters() -> None:
    rng = np.random.default_rng(2)
    draw = [rng.choice([-1, 0, 0, 1], size=8).tolist() for _ in range(120)]
    few, many = changed(draw[:30]), changed(draw)
    assert few.detectable()[0] / many.detectable()[0] == pytest.approx(2, rel=0.3)
    assert many.detectable()[0] > many.error[0] * 2.8


def test_all_sign_flips_are_tried_for_few_clusters() -> None:
    # Of 64 flips only all as they are and all reversed are as large.
    assert sign_flip(changed([[1, 0]] * 6))[0] == pytest.approx(2 / 64)


def test_random_sign_flips_come_near_to_all() -> None:
    rng = np.random.default_rng(3)
    by_cluster = [rng.choice([-1, 0, 1, 1], size=3).tolist() for _ in range(14)]
    x = np.array([sum(cluster) for cluster in by_cluster])
    signs = 1 - 2 * ((np.arange(2**14)[:, None] >> np.arange(14)) & 1)
    exact = (np.abs(signs @ x) >= abs(x.sum())).mean()
    assert sign_flip(changed(by_cluster))[0] == pytest.approx(exact, abs=0.015)


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_the_binomial_test_of_scipy(gained: int, lost: int) -> None:
    expected = stats.binomtest(gained, gained + lost, 0.5).pvalue if gained + lost else 1.0
    assert mcnemar_exact(gained, lost) == pytest.approx(expected, rel=1e-9)


def test_the_published_gain_of_fine_tuning_is_within_noise() -> None:
    # 441 against 432 of 957 right: 9 questions. Only if nothing flipped the other way would they show anything.
    assert mcnemar_exact(9, 0) < 0.05
    assert mcnemar_exact(34, 25) > 0.2


@pytest.mark.parametrize("differing", [1, 2, 3, 4, 5])
def test_clusters_without_a_difference_are_no_evidence_when_flipped_whatever_the_strata(differing: int) -> None:
    clusters = [f"c{number // 2}" for number in range(16)]
    changes = np.array([[float(number // 2 < differing) for number in range(16)]])
    counted = np.ones(changes.shape, dtype=bool)
    for strata in (["" for _ in clusters], ["ab"[number % 2] for number in range(16)]):
        found = differences(changes, counted, layout(clusters, strata))
        assert sign_flip(found)[0] == pytest.approx(min(1.0, 2 / 2**differing))
