"""What p-values promise and show, on simulated runs: size, power, families, boards, planned looks."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_runs import ALIKE, APART, LONG, Floats, Structure, boards, egocross_like

from egocross_eval.scoring.board import pairs
from egocross_eval.scoring.clusters import layout
from egocross_eval.scoring.difference import Differences, differences, sign_flip
from egocross_eval.scoring.families import holm, simultaneous
from egocross_eval.scoring.planned_looks import LOOKS, may_stop
from egocross_eval.scoring.shortcuts import Letters, abbott_share, letters

ROWS = 4000 if LONG else 1000
BOARDS = 600 if LONG else 150
WORLDS = [(0.0, APART), (0.03, APART), (0.08, APART), (0.15, APART), (0.03, ALIKE)]
"""How much clusters differ between models, and how much questions share."""

pytestmark = pytest.mark.slow


def at_most_six_percent(hits: float, rows: int) -> None:
    assert hits / rows <= 0.06 + 2 * (0.05 * 0.95 / rows) ** 0.5, hits / rows


def compared(structure: Structure, changes: Floats, *, macro: bool = False) -> Differences:
    return differences(changes, np.ones(changes.shape, dtype=np.bool_), structure.layout, macro=macro)


@pytest.mark.parametrize(("between", "question"), WORLDS)
def test_equal_runs_differ_in_at_most_six_percent(between: float, question: float) -> None:
    structure = egocross_like()
    runs = boards(structure, [0.45, 0.45], between, ROWS, seed=11, question=question)
    changes = runs[:, 1] - runs[:, 0]
    places = {name: structure.of(name) for name in set(structure.strata)} | {"type": structure.parts["a type"]}
    found = [compared(structure, changes), compared(structure, changes, macro=True)]
    found += [compared(structure.part(p), changes[:, list(p)]) for p in places.values()]
    for one in found:
        at_most_six_percent(float((one.p() < 0.05).sum()), ROWS)
        low, high = one.interval()
        assert (((low > 0) | (high < 0)) == (one.p() < 0.05)).all()


@pytest.mark.parametrize("size", [(6, 4), (6, 20), (8, 12), (15, 3), (100, 1)], ids=str)
def test_they_do_with_few_clusters(size: tuple[int, int]) -> None:
    clusters = tuple(f"c{i}" for i in range(size[0]) for _ in range(size[1]))
    structure = Structure(clusters, ("all",) * len(clusters), {})
    for between in (0.0, 0.15):
        runs = boards(structure, [0.45, 0.45], between, ROWS, seed=12)
        found = compared(structure, runs[:, 1] - runs[:, 0])
        at_most_six_percent(float((found.p() < 0.05).sum()), ROWS)


def test_flipping_signs_agrees() -> None:
    structure = egocross_like()
    runs = boards(structure, [0.45, 0.45], 0.15, ROWS, seed=13)
    found = compared(structure, runs[:, 1] - runs[:, 0])
    at_most_six_percent(float((sign_flip(found) < 0.05).sum()), ROWS)
    assert np.corrcoef(found.p(), sign_flip(found))[0, 1] > 0.99


@pytest.mark.parametrize(
    ("between", "better", "power"),
    [(0.0, 0.05, 0.74), (0.03, 0.05, 0.61), (0.08, 0.05, 0.46), (0.03, 0.03, 0.26), (0.08, 0.1, 0.95)],
)
def test_a_better_run_is_shown_to_be_so(between: float, better: float, power: float) -> None:
    structure = egocross_like()
    runs = boards(structure, [0.45, 0.45 + better], between, ROWS, seed=14)
    assert (compared(structure, runs[:, 1] - runs[:, 0]).p() < 0.05).mean() > power


def test_the_smallest_difference_is_shown_in_80_percent() -> None:
    structure = egocross_like()
    equal = boards(structure, [0.45, 0.45], 0.08, 50, seed=15)
    smallest = float(np.median(compared(structure, equal[:, 1] - equal[:, 0]).detectable()))
    runs = boards(structure, [0.45, 0.45 + smallest], 0.08, ROWS, seed=16)
    assert 0.76 < (compared(structure, runs[:, 1] - runs[:, 0]).p() < 0.05).mean() < 0.84


@pytest.mark.parametrize(("between", "question"), [(0.0, APART), (0.15, APART), (0.03, ALIKE)])
@pytest.mark.parametrize("number", [2, 10, 30])
def test_boards_of_equal_runs_are_told_apart_in_at_most_six_percent(
    number: int, between: float, question: float
) -> None:
    structure = egocross_like()
    everything = np.ones((number, len(structure.clusters)), dtype=np.bool_)
    hits = 0
    for board in boards(structure, [0.45] * number, between, BOARDS, seed=17 + number, question=question):
        found = pairs(board, everything, structure.layout).differences
        hits += bool((holm(found.p()) < 0.05).any())
    at_most_six_percent(hits, BOARDS)


def test_a_better_run_stands_out_on_a_board_of_ten() -> None:
    structure = egocross_like()
    everything = np.ones((10, len(structure.clusters)), dtype=np.bool_)
    shown = 0.0
    for board in boards(structure, [0.55] + [0.45] * 9, 0.03, BOARDS, seed=18):
        found = pairs(board, everything, structure.layout)
        shown += float((holm(found.differences.p())[found.first == 0] < 0.05).mean())
    assert shown / BOARDS > 0.86


@pytest.mark.parametrize("gains", [(0.0, 0.0, 0.0, 0.0), (0.2, 0.0, 0.0, 0.1)], ids=["equal", "some better"])
def test_the_domains_together_err_in_at_most_six_percent(gains: tuple[float, ...]) -> None:
    structure = egocross_like()
    names = list(dict.fromkeys(structure.strata))
    runs = {gain: boards(structure, [0.4, 0.4 + gain], 0.08, ROWS, seed=19) for gain in set(gains)}
    stars, missed = 0, 0
    columns = []
    for name, gain in zip(names, gains, strict=True):
        members = structure.of(name)
        changes = (runs[gain][:, 1] - runs[gain][:, 0])[:, members]
        columns.append(compared(structure.part(members), changes))
    for row in range(ROWS):
        family = Differences(
            value=np.array([column.value[row] for column in columns]),
            error=np.array([column.error[row] for column in columns]),
            freedom=np.array([column.freedom[row] for column in columns]),
            clusters=np.array([column.clusters[row] for column in columns]),
            contribution=np.zeros((4, 0)),
        )
        adjusted = holm(family.p())
        low, high = simultaneous(family, adjusted, 0.05)
        truth = np.array(gains)
        stars += bool((adjusted < 0.05)[truth == 0].any())
        missed += bool(((truth < low - 1e-12) | (truth > high + 1e-12)).any())
        assert (((low >= 0) | (high <= 0)) == (adjusted < 0.05)).all()
    at_most_six_percent(stars, ROWS)
    at_most_six_percent(missed, ROWS)


@pytest.mark.parametrize("between", [0.0, 0.15])
def test_five_planned_looks_err_in_at_most_six_percent(between: float) -> None:
    structure, rows = egocross_like(), ROWS // 2
    names, cluster = np.unique(structure.clusters, return_inverse=True)
    rng = np.random.default_rng(20)
    stopped = 0
    for first, second in boards(structure, [0.45, 0.45], between, rows, seed=21):
        order = rng.permutation(len(names))
        for look in range(1, LOOKS + 1):
            members = np.flatnonzero(np.isin(cluster, order[: len(names) * look // LOOKS])).tolist()
            part = structure.part(members)
            seen = layout(part.clusters, part.strata)
            changes = (second - first)[None, members]
            p = differences(changes, np.ones(changes.shape, dtype=np.bool_), seen).p()[0]
            if may_stop(float(p), look):
                stopped += 1
                break
    at_most_six_percent(stopped, rows)


@pytest.mark.parametrize("seeing", [0.0, 0.1, 0.5])
def test_abbotts_share_is_how_often_a_model_sees(seeing: float) -> None:
    structure, rows = egocross_like(), ROWS // 2
    names, cluster = np.unique(structure.clusters, return_inverse=True)
    rng = np.random.default_rng(22)
    held = 0
    for _ in range(rows):
        hard = 0.7 * rng.standard_normal(len(cluster)) + 0.5 * rng.standard_normal(len(names))[cluster]
        guess = 1 / (1 + np.exp(hard + 0.5))
        blind, guessed = rng.random((2, len(cluster))) < guess
        sees = rng.random(len(cluster)) < seeing * (1 + 0.3 * rng.choice([-1, 1], len(names))[cluster])
        found = abbott_share((sees | guessed).astype(float), blind.astype(float), structure.layout)
        assert found is not None
        low, high = found.interval()
        held += bool(low[0] <= seeing <= high[0])
    assert 0.925 <= held / rows <= 0.975


@pytest.mark.parametrize("liking", [0.0, 2.0], ids=["no liking", "a liking that changes by video"])
def test_models_that_like_no_letter_are_said_to_in_at_most_six_percent(liking: float) -> None:
    hits = sum(rotated(0.25, liking, seed).p < 0.05 for seed in range(BOARDS))
    at_most_six_percent(hits, BOARDS)


def test_a_moderate_liking_for_a_letter_is_seen() -> None:
    found = [rotated(0.4, 0.0, seed) for seed in range(20)]
    assert all(one.p < 0.01 for one in found)
    assert np.mean([one.distance for one in found]) == pytest.approx(0.09, abs=0.01)


def rotated(first_letter: float, liking: float, seed: int) -> Letters:
    """Four rotations of all questions by a model that knows 40 % and else guesses, A with the chance given."""
    structure = egocross_like()
    names, cluster = np.unique(structure.clusters, return_inverse=True)
    rng = np.random.default_rng([seed, int(liking)])
    chances = np.tile([first_letter, *[(1 - first_letter) / 3] * 3], (len(names), 1))
    if liking:
        chances = rng.dirichlet(chances[0] * liking, size=len(names))
    upto = chances.cumsum(axis=1)[cluster]
    knows = rng.random(len(cluster)) < 0.4
    counts = np.zeros((len(cluster), 4))
    for rotation in range(4):
        guessed = (rng.random((len(cluster), 1)) > upto).sum(axis=1).clip(0, 3)
        counts[np.arange(len(cluster)), np.where(knows, rotation, guessed)] += 1
    return letters(counts, structure.clusters)
