"""The one interval of accuracies at its edges; how often it holds the truth is in test_coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scored_samples import VIDEO_SIZES
from simulated_runs import egocross_like, outcomes

from egocross_eval.scoring.accuracy import Counted, accuracy_interval, assumed_interval, correlation, own_correlation

RIGHT = st.lists(st.integers(0, 1), min_size=1, max_size=60)


def blocks(right: list[int], size: int) -> tuple[list[float], list[str], list[str]]:
    """Clusters of equal size in one stratum, of which so many questions are right."""
    values = [float(place < count) for count in right for place in range(size)]
    return values, [f"c{i}" for i in range(len(right)) for _ in range(size)], ["s"] * len(values)


@given(RIGHT, st.integers(1, 9))
def test_the_interval_holds_the_accuracy_and_stays_between_0_and_1(right: list[int], size: int) -> None:
    values, _, strata = blocks(right, 1)
    found = accuracy_interval(values, [f"c{i // size}" for i in range(len(values))], strata)
    assert 0 <= found.low <= sum(values) / len(values) <= found.high <= 1
    assert found.high - found.low > 0.01


def wilson(right: int, n: int) -> tuple[float, float]:
    from scipy.stats import binomtest

    found = binomtest(right, n).proportion_ci(0.95, method="wilson")
    return found.low, found.high


def test_nothing_asked_says_nothing() -> None:
    assert accuracy_interval([], [], [])[:2] == (0, 1)


def test_questions_that_share_their_fate_widen_the_interval() -> None:
    together, apart = accuracy_interval(*blocks([10, 0] * 20, 10)), accuracy_interval(*blocks([5] * 40, 10))
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_it_is_never_narrower_than_wilsons() -> None:
    found = accuracy_interval(*blocks([5] * 40, 10))
    low, high = wilson(200, 400)
    assert found.low <= low
    assert found.high >= high


@given(
    st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=6), min_size=1, max_size=5),
    st.integers(1, 3),
    st.booleans(),
)
def test_no_strata_make_it_narrower_than_as_many_separate_questions(
    right: list[list[int]], size: int, macro: bool
) -> None:
    """However few questions and clusters a stratum has: one question in it can't say how others would vary."""
    values = [float(value) for stratum in right for value in stratum]
    strata = [f"s{i}" for i, stratum in enumerate(right) for _ in stratum]
    clusters = [f"s{i}c{j // size}" for i, stratum in enumerate(right) for j in range(len(stratum))]
    found = accuracy_interval(values, clusters, strata, macro=macro)
    shares = [1 / len(right) if macro else len(stratum) / len(values) for stratum in right]
    mean = sum(share * sum(stratum) / len(stratum) for share, stratum in zip(shares, right, strict=True))
    n = 1 / sum(share**2 / len(stratum) for share, stratum in zip(shares, right, strict=True))
    # Wilson's, for a number of questions that needn't be whole.
    square = 1.96**2 / n
    centre = (mean + square / 2) / (1 + square)
    half = (square * mean * (1 - mean) + square**2 / 4) ** 0.5 / (1 + square)
    assert found.low <= max(0.0, centre - half) + 1e-4
    assert found.high >= min(1.0, centre + half) - 1e-4


def test_a_domain_has_the_same_interval_in_a_full_run_and_alone() -> None:
    structure = egocross_like()
    row = outcomes(structure, 0.45, 0.2, 1, 3)[0].tolist()
    members = structure.of("surgery")
    part, values = structure.part(members), [row[i] for i in members]
    prior = own_correlation(values, part.clusters, part.strata)
    assert accuracy_interval(values, part.clusters, part.strata, prior=prior) == accuracy_interval(
        values, part.clusters, part.strata
    )


def test_one_question_more_changes_little() -> None:
    structure = egocross_like()
    members = [i for i, name in enumerate(structure.strata) if name != "animal"]
    part = structure.part(members)
    values = outcomes(part, 0.45, 0.2, 1, 4)[0].tolist()
    before = accuracy_interval(values, part.clusters, part.strata)
    after = accuracy_interval([*values, 1.0], [*part.clusters, "animal/0"], [*part.strata, "animal"])
    assert after.low == pytest.approx(before.low, abs=0.002)
    assert after.high == pytest.approx(before.high, abs=0.002)


def test_all_right_is_not_certain_and_one_wrong_is_not_surer() -> None:
    clusters = [f"{d}/{i}" for d, sizes in VIDEO_SIZES.items() for i, n in enumerate(sizes) for _ in range(n)]
    strata = [name.split("/")[0] for name in clusters]
    all_right = accuracy_interval([1.0] * 957, clusters, strata)
    one_wrong = accuracy_interval([0.0] + [1.0] * 956, clusters, strata)
    assert 0.97 < one_wrong.low < all_right.low < 0.985
    assert all_right.high == 1
    assert 0.9985 < one_wrong.high < 1


@pytest.mark.parametrize(
    ("right", "size", "low", "high"),
    [
        ([10], 20, (0.05, 0.2), (0.8, 0.95)),
        ([20, 0], 20, (0.02, 0.15), (0.85, 0.98)),
        ([12, 9, 11, 2, 10], 20, (0.2, 0.3), (0.58, 0.68)),
        ([4, 3, 2, 4], 6, (0.25, 0.4), (0.65, 0.85)),
        ([1], 1, (0.05, 0.2), (1, 1)),
    ],
    ids=["one video", "two that disagree", "five videos", "four videos", "one question"],
)
def test_few_clusters_give_wide_and_useful_intervals(
    right: list[int], size: int, low: tuple[float, float], high: tuple[float, float]
) -> None:
    found = accuracy_interval(*blocks(right, size))
    assert low[0] <= found.low <= low[1]
    assert high[0] <= found.high <= high[1]


def test_the_correlation_within_clusters_is_estimated_without_bias() -> None:
    structure = egocross_like()
    for rho in (0.0, 0.1, 0.3):
        rows = outcomes(structure, 0.45, rho, 150, 6).tolist()
        found = [own_correlation(row, structure.clusters, structure.strata) for row in rows]
        pooled = sum(one.together for one in found) / sum(one.pairs for one in found)
        assert pooled == pytest.approx(rho, abs=0.02)
    assert correlation([1.0, 0.0], ["a", "a"]).pairs == 0


def test_counts_alone_get_an_assumed_correlation() -> None:
    plain = assumed_interval([Counted(432, 957, 0.0)])
    assert plain[:2] == pytest.approx(wilson(432, 957))
    clustered = assumed_interval([Counted(432, 957, 12.5)])
    assert (clustered.high - clustered.low) / (plain.high - plain.low) == pytest.approx(1.5, abs=0.01)
    assert clustered.method == "assumed"


def test_the_mean_of_equal_counts_shrinks_by_the_root_of_their_number() -> None:
    one, four = assumed_interval([Counted(500, 1000, 4.0)]), assumed_interval([Counted(500, 1000, 4.0)] * 4)
    assert one.high - one.low == pytest.approx(2 * (four.high - four.low), rel=0.01)


@pytest.mark.parametrize("macro", [True, False])
@pytest.mark.parametrize(
    "strata",
    ["AIISSSSX", "A" * 15 + "B" * 15 + "CCCDD", "AAIISSXX"],
    ids=["eight questions", "two domains of one video", "one video for each domain"],
)
def test_domains_of_one_video_or_one_question_are_not_taken_for_certain(strata: str, macro: bool) -> None:
    """They can't say how their videos differ: the interval must hold the truth all the same."""
    rng = np.random.default_rng(5)
    held = {}
    for share in (0.3, 0.5):
        found = []
        for _ in range(150):
            right = (rng.random(len(strata)) < share).astype(float)
            clusters = [f"{name}{place // 3 if name in 'AB' else 0}" for place, name in enumerate(strata)]
            interval = accuracy_interval(right.tolist(), clusters, list(strata), macro=macro)
            found.append(interval.low <= share <= interval.high)
        held[share] = np.mean(found)
    assert min(held.values()) >= 0.93
