"""What is chosen among ways of known skill: not noise, and what is truly better."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from skilled_ways import evidence

from egocross_eval.scoring.choosing import choose
from egocross_eval.scoring.shrinkage import Shrunk, shrunk
from egocross_eval.tuning.choice import held_out
from egocross_eval.tuning.evidence import Evidence


def found(given: Evidence) -> Shrunk:
    return shrunk(given.credits, given.groups, given.clusters)


def choice(given: Evidence) -> list[int]:
    return choose(found(given), given.costs)


def picked(replications: int, gain: float, ways: int = 10) -> Counter[int]:
    """How often each way is the choice for most domains, the last being better by `gain`."""
    skills = [0.45] * (ways - 1) + [0.45 + gain]
    ways_of = [choice(evidence(seed, skills)) for seed in range(replications)]
    return Counter(max(sorted(set(one)), key=one.count) for one in ways_of)


def test_of_ten_equal_ways_none_is_picked_oftener_than_by_chance() -> None:
    times = picked(150, 0.0)
    assert max(times[way] for way in range(1, 10)) <= 15
    assert times[0] > 75, "what isn't told apart stays as it is"


def test_a_way_that_is_better_by_15_points_is_mostly_found() -> None:
    times = picked(100, 0.15)
    assert times[9] >= 55
    assert sum(times[way] for way in range(1, 9)) <= 10


@pytest.mark.slow
def test_the_figures_of_the_page_on_tuning() -> None:
    """The table of docs/tuning.md, within what as many choices vary by."""
    null, ten, better = picked(600, 0.0), picked(600, 0.10), picked(600, 0.15)
    shares = [100 * one / 600 for one in (null[0], max(null[w] for w in range(1, 10)), ten[9], better[0], better[9])]
    assert shares == pytest.approx([82, 3.3, 38, 25, 71], abs=0.6)


def test_what_is_expected_is_free_of_the_luck_of_the_best() -> None:
    looks, expected = [], []
    for seed in range(60):
        one = found(evidence(seed, [0.45] * 10))
        best = [int(way) for way in one.apparent.argmax(axis=0)]
        looks.append(one.apparent_gain(best, [0] * 4))
        expected.append(one.gain(best, [0] * 4)[0])
    assert np.mean(looks) > 0.10
    assert abs(float(np.mean(expected))) < 0.04


def test_expected_gains_are_right_on_average_where_ways_do_differ() -> None:
    skills = [0.45, 0.45, 0.5, 0.6]
    gains = [found(evidence(seed, skills)).gain([3] * 4, [0] * 4)[0] for seed in range(80)]
    assert np.mean(gains) == pytest.approx(0.15, abs=0.06)


def test_with_much_data_each_domain_gets_what_is_best_there() -> None:
    videos = dict.fromkeys(("animal", "industry", "surgery"), (10,) * 40)
    ways = [
        {"animal": 0.5, "industry": 0.5, "surgery": 0.5},
        {"animal": 0.7, "industry": 0.65, "surgery": 0.35},
        {"animal": 0.6, "industry": 0.7, "surgery": 0.5},
    ]
    one = found(evidence(1, ways, videos=videos, apart=0.0))
    assert choose(one, [1.0] * 3) == [1, 2, 2] or choose(one, [1.0] * 3) == [1, 2, 0]
    assert one.gain([2] * 3, [0] * 3)[0] == pytest.approx(0.1, abs=0.03)


def test_few_questions_give_all_domains_one_way() -> None:
    ways = [choice(evidence(seed, [0.4, 0.6])) for seed in range(40)]
    assert sum(len(set(one)) == 1 for one in ways) >= 32


def test_the_cheaper_of_two_that_cannot_be_told_apart_is_kept() -> None:
    given = [evidence(seed, [0.4, 0.62, 0.62], costs=[1.0, 2.0, 12.0]) for seed in range(40)]
    times = Counter(choice(one)[0] for one in given)
    assert times[1] > times[2]
    # Where the first is dearest, it is not kept for being the first.
    dear_first = [evidence(seed, [0.5, 0.5], costs=[12.0, 1.0]) for seed in range(40)]
    assert sum(choice(one)[0] == 1 for one in dear_first) >= 30


def test_ways_that_give_the_same_answers_differ_by_nothing() -> None:
    one = evidence(3, [0.5])
    same = one._replace(credits=np.repeat(one.credits, 3, axis=0), requests=[1.0, 1.0, 1.0])
    assert choice(same) == [0, 0, 0, 0]
    assert found(same).gain([2] * 4, [0] * 4) == (0.0, 0.0)
    assert held_out(same).difference == 0


def test_a_single_video_in_a_domain_and_a_single_domain_are_no_obstacle() -> None:
    lone = evidence(1, [0.4, 0.7], videos={"animal": (20,), "surgery": (10, 10)})
    assert set(choice(lone)) <= {0, 1}
    assert held_out(lone).folds == 2
    alone = evidence(1, [0.3, 0.8], videos={"animal": (5,) * 8})
    assert choice(alone) == [1]
    assert held_out(alone).folds == 5


def test_held_out_gains_are_right_on_average() -> None:
    measured = [held_out(evidence(seed, [0.4, 0.65])).difference for seed in range(60)]
    assert np.mean(measured) == pytest.approx(0.25, abs=0.06)
