"""Ranks of rows with and without outcomes by question."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scored_samples import VIDEO_SIZES

from egocross_eval.schema import Figure
from egocross_eval.scoring.accuracy import Counted, assumed_interval
from egocross_eval.scoring.outcomes import interval_of, table
from egocross_eval.scoring.standing import Candidate, standing


def of(credits: np.ndarray) -> Candidate:
    """A candidate with these outcomes to the testbed's questions."""
    text = iter("".join("1" if credit else "0" for credit in credits))
    outcomes = {
        domain: {f"v{place}": "".join(next(text) for _ in range(size)) for place, size in enumerate(sizes)}
        for domain, sizes in VIDEO_SIZES.items()
    }
    right, interval = int(credits.sum()), interval_of(table(outcomes))
    figure = Figure(right=right, n=957, accuracy=right / 957, low=interval.low, high=interval.high)
    return Candidate(figure, outcomes)


def published(right: int) -> Candidate:
    low, high, method = assumed_interval([Counted(right, 957, 12.5)])
    return Candidate(Figure(right=right, n=957, accuracy=right / 957, low=low, high=high, interval=method), {})


def random(accuracy: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(957) < accuracy


def test_rows_that_cannot_be_told_apart_share_a_rank() -> None:
    found = standing([of(random(0.66, 1)), of(random(0.65, 2)), of(random(0.45, 3)), of(random(0.44, 4))])
    assert found.ranks == [1, 1, 3, 3]
    assert (found.paired, found.unpaired) == (6, 0)
    assert found.smallest == pytest.approx(0.08, abs=0.01)


def test_too_few_clusters_show_no_difference_and_promise_none() -> None:
    def row(right: str) -> Candidate:
        outcomes = {"animal": {f"v{place}": right[place * 5 : place * 5 + 5] for place in range(4)}}
        found = interval_of(table(outcomes))
        n = right.count("1")
        return Candidate(Figure(right=n, n=20, accuracy=n / 20, low=found.low, high=found.high), outcomes)

    found = standing([row("1" * 15 + "0" * 5), row("10000" * 4)])
    assert (found.ranks, found.paired, found.smallest) == ([1, 1], 1, None)


def test_a_hundred_runs_are_ranked_in_two_seconds() -> None:
    candidates = [of(random(0.5, seed)) for seed in range(100)]
    start = time.process_time()
    assert max(standing(candidates).ranks) < 5
    assert time.process_time() - start < 2


def test_runs_that_agree_on_much_are_told_apart_by_less() -> None:
    rng = np.random.default_rng(5)
    first = random(0.5, 6)
    gained = first | (rng.random(957) < 0.06)
    assert standing([of(first), of(gained)]).ranks == [2, 1]
    # Figures alone don't tell so few points.
    assert standing([published(int(first.sum())), published(int(gained.sum()))]).ranks == [1, 1]


def test_published_rows_are_compared_by_their_intervals_in_a_family_of_their_own() -> None:
    runs = [of(random(0.6, 7)), of(random(0.45, 8))]
    found = standing([*runs, published(430), published(700)])
    assert (found.paired, found.unpaired) == (1, 5)
    assert found.ranks == [2, 3, 3, 1]


def test_ranks_may_be_by_one_part_alone() -> None:
    better = random(0.4, 9)
    worse = better.copy()
    better[-283:], worse[-283:] = random(0.8, 10)[-283:], random(0.3, 11)[-283:]
    candidates = [of(better), of(worse)]
    assert standing(candidates, part="surgery").ranks == [1, 2]
    assert standing(candidates, part="animal").ranks == [1, 1]


def test_rows_over_other_questions_are_not_paired() -> None:
    one, other = of(random(0.6, 12)), Candidate(of(random(0.4, 13)).figure, {"animal": {"v0": "10"}})
    assert standing([one, other]).paired == 0


def test_outcomes_that_lack_the_part_are_not_paired_by_it() -> None:
    lines = [of(random(0.6, 14)), of(random(0.4, 15))]
    lines += [Candidate(one.figure, {"elsewhere": one.outcomes["animal"]}) for one in lines]
    found = standing(lines, part="animal")
    assert (found.paired, found.unpaired) == (1, 5)


def test_nobody_to_compare_with_is_first() -> None:
    assert standing([published(400)]).ranks == [1]
    assert standing([]).ranks == []
