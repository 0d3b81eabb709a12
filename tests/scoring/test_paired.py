"""Tests and intervals for two runs on the same questions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from egocross_eval.scoring.intervals import Interval
from egocross_eval.scoring.paired import difference_interval, holm, mcnemar_exact, questions_needed

FLIPS = st.integers(0, 400)


@settings(deadline=None)
@given(FLIPS, FLIPS)
def test_mcnemar_is_the_binomial_test_of_scipy(gained: int, lost: int) -> None:
    expected = stats.binomtest(gained, gained + lost, 0.5).pvalue if gained + lost else 1.0
    assert mcnemar_exact(gained, lost) == pytest.approx(expected, rel=1e-9)


@pytest.mark.slow  # statsmodels takes seconds to import
@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_that_of_statsmodels(gained: int, lost: int) -> None:
    tables = pytest.importorskip("statsmodels.stats.contingency_tables")
    if gained + lost:
        assert mcnemar_exact(gained, lost) == pytest.approx(tables.mcnemar([[5, gained], [lost, 7]]).pvalue)


def test_holm_multiplies_the_smallest_by_the_number_of_looks_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    assert holm(p_values) == pytest.approx(multitest.multipletests(p_values, method="holm")[1])


def test_holm_of_nothing_is_nothing() -> None:
    assert holm([]) == []


def test_the_published_gain_of_fine_tuning_is_within_noise() -> None:
    # 441 against 432 of 957 right: 9 questions. Only if nothing flipped the other way would they show anything.
    assert mcnemar_exact(9, 0) < 0.05
    assert mcnemar_exact(34, 25) > 0.2


@pytest.mark.slow
def test_the_variance_between_videos_is_the_cluster_robust_one_of_statsmodels() -> None:
    linear = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(3)
    changes = {"animal": {f"v{v}": rng.choice([-1, 0, 0, 1], size=rng.integers(1, 9)).tolist() for v in range(40)}}
    values = [value for group in changes["animal"].values() for value in group]
    groups = [index for index, group in enumerate(changes["animal"].values()) for _ in group]
    fit = linear.OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": np.array(groups)})
    found = difference_interval(changes)
    # The studentised quantiles differ from 1.96 a little; the scale is the standard error.
    assert (found.high - found.low) / (2 * 1.96 * fit.bse[0]) == pytest.approx(1.0, abs=0.1)


def test_no_flip_at_all_still_leaves_a_small_doubt() -> None:
    found = difference_interval({"animal": {"v1": [0] * 50, "v2": [0] * 50}})
    assert found.method == "adjusted wald"
    assert -0.03 < found.low < 0 < found.high < 0.03


def test_agresti_and_mins_interval_is_met() -> None:
    # One question for each of two domains: the videos can't tell. gained 1, lost 0, n 2, so (1 - 0) / (2 + 2) +- z s.
    found = difference_interval({"animal": {"v1": [1]}, "surgery": {"v2": [0]}})
    half = 1.959964 * ((2 / 4 - (1 / 4) ** 2) / 4) ** 0.5
    assert found[:2] == pytest.approx((1 / 4 - half, 1 / 4 + half), abs=1e-5)


def test_the_macro_difference_counts_domains_alike() -> None:
    rng = np.random.default_rng(8)
    changes = {
        "animal": {f"a{v}": rng.choice([1, 0], p=[0.8, 0.2], size=20).tolist() for v in range(30)},
        "surgery": {f"s{v}": rng.choice([-1, 0], p=[0.2, 0.8], size=2).tolist() for v in range(30)},
    }
    micro, macro = difference_interval(changes), difference_interval(changes, macro=True)
    assert micro.low > 0.6
    assert macro.high < 0.4


def simulated_power(gained: float, lost: float, n: int, seed: int = 1) -> float:
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(n, [gained, lost, 1 - gained - lost], size=2000)
    return float(np.mean([mcnemar_exact(int(up), int(down)) < 0.05 for up, down, _ in drawn]))


def test_the_number_of_questions_needed_shows_the_difference_in_about_80_percent() -> None:
    spread = 0.20 - 0.04**2
    half = 1.96 * (spread / 1000) ** 0.5
    needed = questions_needed(120, 80, 1000, Interval(0.04 - half, 0.04 + half, "clustered bootstrap"))
    assert needed is not None
    assert 0.75 < simulated_power(0.12, 0.08, needed) < 0.85


def test_videos_that_go_together_need_more_questions() -> None:
    spread = 0.20 - 0.04**2
    half = 1.96 * (spread / 1000) ** 0.5
    plain = questions_needed(120, 80, 1000, Interval(0.04 - half, 0.04 + half, ""))
    doubled = questions_needed(120, 80, 1000, Interval(0.04 - 2 * half, 0.04 + 2 * half, ""))
    assert plain is not None
    assert doubled == pytest.approx(4 * plain, rel=0.01)


def test_no_difference_needs_no_number() -> None:
    assert questions_needed(7, 7, 100, Interval(-0.1, 0.1, "")) is None
