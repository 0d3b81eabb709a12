"""Intervals of accuracies, against scipy, a plain bootstrap and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from egocross_eval.scoring.intervals import METHODS, Stratum, clustered, mover, strata_of, wilson

COUNTS = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(deadline=None)
@given(COUNTS)
def test_wilson_is_that_of_scipy(counts: tuple[int, int]) -> None:
    right, n = counts
    expected = stats.binomtest(right, n).proportion_ci(0.95, method="wilson")
    found = wilson(right, n)
    assert found.low == pytest.approx(expected.low, abs=1e-9)
    assert found.high == pytest.approx(expected.high, abs=1e-9)


def test_nothing_asked_says_nothing() -> None:
    assert wilson(0, 0)[:2] == (0.0, 1.0)


@settings(deadline=None)
@given(COUNTS)
def test_the_interval_of_the_mean_of_one_domain_is_that_of_the_domain(counts: tuple[int, int]) -> None:
    assert mover([counts])[:2] == pytest.approx(wilson(*counts)[:2])


def test_the_interval_of_a_mean_of_equal_domains_shrinks_by_the_root_of_their_number() -> None:
    one, four = wilson(50, 100), mover([(50, 100)] * 4)
    assert four.high - four.low == pytest.approx((one.high - one.low) / 2)


def plain_bootstrap_t(strata: list[Stratum], weights: list[float], seed: int, replicates: int) -> tuple[float, float]:
    """The same statistic in loops, drawing as `clustered` does."""
    rng = np.random.default_rng(seed)
    draws = [rng.integers(0, len(s.totals), size=(replicates, len(s.totals))) for s in strata]

    def estimate(chosen: list[list[int]]) -> tuple[float, float]:
        mean = variance = 0.0
        for stratum, weight, indices in zip(strata, weights, chosen, strict=True):
            totals = [stratum.totals[i] for i in indices]
            sizes = [stratum.sizes[i] for i in indices]
            share = sum(totals) / sum(sizes)
            residuals = sum((t - share * s) ** 2 for t, s in zip(totals, sizes, strict=True))
            m = len(indices)
            mean += weight * share
            variance += weight**2 * m / (m - 1) * residuals / sum(sizes) ** 2
        return mean, math.sqrt(variance)

    centre, error = estimate([list(range(len(s.totals))) for s in strata])
    found = [estimate([d[r].tolist() for d in draws]) for r in range(replicates)]
    studentised = [(mean - centre) / spread for mean, spread in found if spread > 1e-9]
    low, high = np.percentile(studentised, [2.5, 97.5])
    return centre - float(high) * error, centre - float(low) * error


def test_the_clustered_bootstrap_is_the_studentised_one() -> None:
    rng = np.random.default_rng(5)
    sizes = [rng.integers(1, 9, size=m) for m in (12, 20)]
    strata = [Stratum([int(rng.binomial(n, 0.5)) for n in group], [int(n) for n in group]) for group in sizes]
    found = clustered(strata, [0.3, 0.7], seed=11, replicates=300)
    assert found is not None
    assert found.method == "clustered bootstrap"
    assert found[:2] == pytest.approx(plain_bootstrap_t(strata, [0.3, 0.7], 11, 300))


def test_the_same_seed_gives_the_same_interval() -> None:
    stratum = Stratum([1, 4, 2, 3, 0, 5, 2, 2, 1, 3], [5] * 10)
    assert clustered([stratum], [1.0], seed=3) == clustered([stratum], [1.0], seed=3)
    assert clustered([stratum], [1.0], seed=3) != clustered([stratum], [1.0], seed=4)


def test_questions_that_share_their_fate_by_video_widen_the_interval() -> None:
    together = Stratum([10, 0] * 20, [10] * 40)
    apart = Stratum([5, 4, 6, 5] * 10, [10] * 40)
    wide, narrow = clustered([together], [1.0]), clustered([apart], [1.0])
    assert wide is not None
    assert narrow is not None
    plain = wilson(200, 400)
    assert wide.high - wide.low > 2 * (plain.high - plain.low)
    assert narrow.high - narrow.low < plain.high - plain.low


def test_an_accuracy_stays_between_0_and_1() -> None:
    found = clustered([Stratum([5, 5, 5, 5, 5, 5, 5, 5, 5, 1, 2, 5], [5] * 12)], [1.0])
    assert found is not None
    assert 0 <= found.low < found.high <= 1


@pytest.mark.parametrize(
    "stratum",
    [Stratum([3], [5]), Stratum([5, 5, 5], [5, 5, 5]), Stratum([0, 0], [4, 2]), Stratum([1, 2, 3], [2, 4, 6])],
    ids=["one video", "all right", "none right", "videos don't differ"],
)
def test_videos_that_cannot_tell_give_no_interval(stratum: Stratum) -> None:
    assert clustered([stratum], [1.0]) is None


def test_few_differing_videos_fall_back_to_student_t() -> None:
    stratum = Stratum([1, 0, 0, 0, 0, 0], [4] * 6)
    found = clustered([stratum], [1.0], bounds=(-9, 9))
    assert found is not None
    assert found.method == "clustered t"
    totals = np.array(stratum.totals) / 4
    expected = stats.t.interval(0.95, 5, totals.mean(), stats.sem(totals))
    assert found[:2] == pytest.approx(expected)


def test_a_domain_with_one_video_resamples_its_questions() -> None:
    strata = strata_of({"b": {"v1": [1.0, 0.0, 1.0]}, "a": {"v2": [1.0], "v3": [0.0, 1.0]}})
    assert strata == [Stratum([1.0, 1.0], [1, 2]), Stratum([0.0, 1.0, 1.0], [1, 1, 1])]


def test_every_method_is_explained() -> None:
    used = {wilson(1, 2).method, mover([(1, 2)]).method, "clustered bootstrap", "clustered t", "adjusted wald"}
    assert used <= set(METHODS)
