"""P-values and intervals of many looks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egocross_eval.scoring.difference import Differences
from egocross_eval.scoring.families import holm, simultaneous

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def test_holm_multiplies_the_smallest_by_the_number_of_looks_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])


def test_looks_without_a_p_value_do_not_count() -> None:
    found = holm([0.01, math.nan, 0.02])
    assert found[[0, 2]] == pytest.approx([0.02, 0.02])
    assert math.isnan(found[1])


def test_nothing_is_corrected_to_nothing() -> None:
    assert holm([]).tolist() == []


@pytest.mark.slow  # statsmodels takes seconds to import
@settings(max_examples=30)
@given(P_VALUES)
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    assert holm(p_values) == pytest.approx(multitest.multipletests(p_values, method="holm")[1])


@given(st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=12))
def test_simultaneous_intervals_agree_with_the_corrected_p_values(values: list[float]) -> None:
    size = len(values)
    family = Differences(
        np.array(values), np.full(size, 0.1), np.full(size, 30.0), np.full(size, 40), np.zeros((size, 0))
    )
    adjusted = holm(family.p())
    low, high = simultaneous(family, adjusted, 0.05)
    assert (((low >= 0) | (high <= 0)) == (adjusted < 0.05)).all()
    single = family.interval()
    if size == 1:
        assert (low[0], high[0]) == pytest.approx((single[0][0], single[1][0]))
    assert (high - low >= np.where(adjusted < 0.05, 0, single[1] - single[0] - 1e-12)).all()


def test_a_look_without_a_p_value_keeps_the_interval_that_it_has_alone() -> None:
    family = Differences(np.array([0.1, 0.1]), np.full(2, 0.1), np.full(2, 4.0), np.array([5, 40]), np.zeros((2, 0)))
    low, _ = simultaneous(family, holm(family.p()), 0.05)
    assert low == pytest.approx(family.interval()[0])
