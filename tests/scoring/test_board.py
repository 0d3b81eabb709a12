"""Pairs of several runs, and ranks."""

from __future__ import annotations

import time

import numpy as np
import pytest
from simulated_runs import boards, egocross_like

from egocross_eval.scoring.board import pairs
from egocross_eval.scoring.clusters import layout
from egocross_eval.scoring.difference import differences, sign_flip
from egocross_eval.scoring.planned_looks import looks_due, may_stop
from egocross_eval.scoring.shortcuts import letters, same_place_by_chance


def test_every_pair_is_as_if_it_were_alone() -> None:
    structure = egocross_like()
    runs = boards(structure, [0.4, 0.45, 0.5], 0.05, 1, seed=1)[0]
    everything = np.ones(runs.shape, dtype=np.bool_)
    everything[1, :100] = False
    found = pairs(runs, everything, structure.layout)
    assert list(zip(found.first, found.second, strict=True)) == [(0, 1), (0, 2), (1, 2)]
    left = list(range(100, 957))
    part = structure.part(left)
    changes = (runs[1] - runs[0])[None, left]
    alone = differences(changes, np.ones(changes.shape, dtype=np.bool_), layout(part.clusters, part.strata))
    assert found.differences.value[0] == pytest.approx(alone.value[0])
    assert found.differences.p()[0] == pytest.approx(alone.p()[0])


def test_runs_that_share_no_question_are_no_pair() -> None:
    structure = egocross_like()
    counted = np.zeros((2, 957), dtype=np.bool_)
    counted[0, :400], counted[1, 400:] = True, True
    found = pairs(np.zeros((2, 957)), counted, structure.layout)
    assert len(found.first) == 0


def test_every_two_of_24_runs_get_a_second_opinion_in_five_seconds() -> None:
    structure = egocross_like()
    runs = (np.random.default_rng(4).random((24, 957)) < 0.5).astype(float)
    start = time.process_time()
    sign_flip(pairs(runs, np.ones(runs.shape, dtype=np.bool_), structure.layout).differences)
    assert time.process_time() - start < 5


def test_looks_are_due_after_each_fifth_of_the_clusters() -> None:
    assert [looks_due(done, 132) for done in (0, 26, 27, 80, 131, 132)] == [0, 0, 1, 3, 4, 5]


def test_the_first_look_asks_for_overwhelming_evidence() -> None:
    assert not may_stop(1e-4, 1)
    assert may_stop(1e-6, 1)
    assert may_stop(0.04, 5)
    assert not may_stop(0.045, 5)


def test_a_model_that_follows_what_options_say_uses_all_letters_alike() -> None:
    found = letters(np.ones((40, 4)), [f"c{i // 4}" for i in range(40)])
    assert found == ((0.25,) * 4, 0, 1)


def test_one_that_always_says_a_is_as_far_from_that_as_can_be() -> None:
    counts = np.zeros((40, 4))
    counts[:, 0] = 4
    found = letters(counts, [f"c{i // 4}" for i in range(40)])
    assert found.distance == pytest.approx(0.75)
    assert found.p < 0.01


def test_pure_guessing_answers_the_same_place_every_64th_time() -> None:
    assert same_place_by_chance([4, 4]) == pytest.approx(1 / 64)
    assert same_place_by_chance([2, 4]) == pytest.approx((1 / 2 + 1 / 64) / 2)
