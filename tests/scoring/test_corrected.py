"""The accuracy corrected by labels holds the truth, whatever the judge is worth."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_runs import LONG, egocross_like, outcomes

from egocross_eval.scoring.clustered_mean import clustered_mean
from egocross_eval.scoring.corrected import (
    FEWEST_LABELS,
    Corrected,
    Item,
    Rates,
    corrected,
    label_order,
    rogan_gladen,
)

PLACE = egocross_like()


def simulated(
    accuracy: float, sensitivity: float, specificity: float, labels: int, rows: int, *, correlation: float = 0.1
) -> list[Corrected]:
    """Corrected accuracies of simulated runs judged with those error rates."""
    truth = outcomes(PLACE, accuracy, correlation, rows, seed=1)
    rng = np.random.default_rng(2)
    said_right = np.where(truth == 1, rng.random(truth.shape) < sensitivity, rng.random(truth.shape) > specificity)
    found = []
    for row in range(rows):
        drawn = set(label_order(PLACE.strata, row)[:labels])
        items = [
            Item(float(said_right[row, i]), float(truth[row, i]) if i in drawn else None, cluster, stratum)
            for i, (cluster, stratum) in enumerate(zip(PLACE.clusters, PLACE.strata, strict=True))
        ]
        result = corrected(items)
        assert result is not None
        found.append(result)
    return found


def share_held(found: list[Corrected], accuracy: float, *, macro: bool = False) -> float:
    """Share of the intervals that hold the truth."""
    held = [one.macro if macro else one.micro for one in found]
    return sum(one.low <= accuracy <= one.high for one in held) / len(held)


JUDGES = [(0.95, 0.9), (0.9, 0.8), (0.8, 0.7)]


@pytest.mark.slow
@pytest.mark.parametrize(("sensitivity", "specificity"), JUDGES)
def test_the_interval_holds_the_truth_in_93_to_97_of_100_cases(sensitivity: float, specificity: float) -> None:
    rows = 4_000 if LONG else 800
    slack = 0.0 if LONG else 0.008  # what chance adds with fewer rows, one standard error
    found = simulated(0.45, sensitivity, specificity, 120, rows)
    for macro in (False, True):
        assert 0.93 - slack <= share_held(found, 0.45, macro=macro) <= 0.97 + slack


def test_a_biased_judge_is_put_right_and_a_good_one_saves_labels() -> None:
    found = simulated(0.45, 0.9, 0.8, 120, 60)
    mean = float(np.mean([one.micro.value for one in found]))
    assert abs(mean - 0.45) < 0.02  # the judge's own mean is 0.515
    widths = {
        rates: np.mean([f.micro.high - f.micro.low for f in simulated(0.45, *rates, 120, 40)]) for rates in JUDGES
    }
    labels_alone = np.mean([f.micro.high - f.micro.low for f in simulated(0.45, 0.5, 0.5, 120, 40)])
    assert widths[0.95, 0.9] < widths[0.9, 0.8] < labels_alone
    assert np.mean([f.trust for f in simulated(0.45, 0.5, 0.5, 120, 40)]) < 0.1


def test_too_few_labels_correct_nothing() -> None:
    items = [Item(1.0, 1.0, f"c{i}", "s") for i in range(FEWEST_LABELS - 1)]
    assert corrected(items) is None
    assert corrected([*items, Item(1.0, 0.0, "c", "s")]) is not None


def test_what_nobody_said_is_wrong_and_needs_no_label() -> None:
    said = [Item(1.0, 1.0, f"c{i}", "s") for i in range(50)]
    found = corrected([*said, *(Item(None, None, f"d{i}", "s", said=False) for i in range(50))])
    assert found is not None
    assert found.micro.value == pytest.approx(0.5)


def test_a_judge_that_agrees_with_every_label_still_leaves_doubt() -> None:
    items = [Item(1.0, 1.0 if i < 40 else None, f"c{i}", "s") for i in range(200)]
    found = corrected(items)
    assert found is not None
    assert (found.micro.value, found.micro.high) == (1.0, 1.0)
    assert found.micro.low < 0.96


def test_any_beginning_of_the_labels_order_has_every_stratum_in_proportion() -> None:
    strata = ["a"] * 100 + ["b"] * 300 + ["c"] * 20
    for seed in range(20):
        order = label_order(strata, seed)
        assert sorted(order) == list(range(420))
        for number in (42, 105, 210):
            drawn = [strata[place] for place in order[:number]]
            assert abs(drawn.count("b") - number * 300 / 420) <= 2
            assert abs(drawn.count("c") - number * 20 / 420) <= 1
    assert label_order(strata, 1) != label_order(strata, 2)


def test_rogan_and_gladen_put_a_known_judge_right() -> None:
    judged = clustered_mean([1.0] * 515 + [0.0] * 485, [str(i) for i in range(1000)], ["s"] * 1000)
    found = rogan_gladen(judged, Rates(0.9, 0.01, 0.8, 0.01))
    assert found is not None
    assert found.value == pytest.approx(0.45)
    assert found.low < 0.45 < found.high
    assert found.error > judged.error
    assert rogan_gladen(judged, Rates(0.5, 0.01, 0.52, 0.01)) is None


def test_a_mean_of_one_cluster_is_as_unsure_as_an_assumed_correlation_makes_it() -> None:
    alone = clustered_mean([0.0, 1.0] * 10, ["v"] * 20, ["s"] * 20)
    apart = clustered_mean([0.0, 1.0] * 10, [str(i) for i in range(20)], ["s"] * 20)
    assert alone.value == apart.value == 0.5
    assert alone.high - alone.low > apart.high - apart.low
