"""Agreement is what the literature's measures say it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval.scoring.agreement import Judged, agreement, alpha, kappa, nominal, pair_agreement, squared

N = None
CODERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3),
    (N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N),
)
"""The example that Krippendorff computes alpha by, whose values are published."""


def test_alpha_has_the_published_values() -> None:
    units = [[value for value in unit if value is not None] for unit in zip(*CODERS, strict=True)]
    assert alpha(units, nominal) == pytest.approx(0.743, abs=5e-4)
    assert alpha(units, squared) == pytest.approx(0.849, abs=5e-4)


@pytest.mark.slow  # statsmodels takes seconds to import
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=40))
def test_kappa_is_that_of_another_implementation(pairs: list[tuple[int, int]]) -> None:
    from statsmodels.stats.inter_rater import cohens_kappa  # type: ignore[import-untyped]

    table = np.zeros((2, 2))
    for one, other in pairs:
        table[one, other] += 1
    found = kappa(pairs)
    if found is None:
        assert table[0, 0] in (0, len(pairs))
    else:
        assert found == pytest.approx(cohens_kappa(table, return_results=False))


def test_where_all_say_the_same_there_is_no_agreement_to_measure() -> None:
    assert alpha([[5, 5], [5, 5]], squared) is None
    assert kappa([(1, 1), (1, 1)]) is None
    assert kappa([]) is None
    assert alpha([[1], [2]], nominal) is None


def test_intervals_are_wider_where_answers_go_together_in_clusters() -> None:
    rng = np.random.default_rng(0)
    by_cluster = [(one, one if rng.random() < 0.8 else 1 - one) for one in rng.integers(0, 2, 40)]
    units = [pair for pair in by_cluster for _ in range(5)]
    apart = agreement(units, [str(i) for i in range(200)], kappa)
    together = agreement(units, [str(i // 5) for i in range(200)], kappa)
    assert apart is not None
    assert together is not None
    assert apart.value == together.value
    assert together.high - together.low > 1.8 * (apart.high - apart.low)


def test_a_pair_is_compared_on_what_both_judged_and_the_widest_partings_come_first() -> None:
    first = {"a": Judged(5, True), "b": Judged(4, True), "c": Judged(0, False), "d": Judged(5, True)}
    second = {"a": Judged(0, False), "b": Judged(3, False), "c": Judged(0, False), "e": Judged(5, True)}
    found = pair_agreement(first, second, {"a": "v", "b": "v", "c": "w"})
    assert found is not None
    assert found.n == 3
    assert found.same == pytest.approx(1 / 3)
    assert [parting.key for parting in found.partings] == ["a", "b"]
    assert pair_agreement(first, {"x": Judged(1, False)}, {}) is None
