"""Two runs compared while they are under way."""

from __future__ import annotations

import random

from msgspec.structs import replace
from scored_samples import question, record, sample

from egocross_eval.schema import Question, Sample
from egocross_eval.scoring.comparison import ComparedRun
from egocross_eval.scoring.live import live_look, live_sentence

QUESTIONS = [question(n, cluster=f"EgoPet/v{n // 4}") for n in range(400)]


def under_way(label: str, accuracy: float, done: int, seed: int) -> ComparedRun:
    """A run that has answered the first `done` questions, one in each second."""
    rng = random.Random(seed)
    lines = [at(q, "right" if rng.random() < accuracy else "wrong", place) for place, q in enumerate(QUESTIONS)]
    return ComparedRun(label=label, record=record(label), samples=tuple(lines[:done]))


def at(asked: Question, outcome: str, second: int) -> Sample:
    made = sample(asked, "right" if outcome == "right" else "wrong")
    return replace(made, finished_at=f"2026-01-02T03:{second // 60:02}:{second % 60:02}.000+00:00")


def test_no_look_is_due_before_a_fifth_of_the_videos() -> None:
    found = live_look(under_way("A", 0.4, 78, 1), under_way("B", 0.9, 400, 2), QUESTIONS)
    assert (found.look, found.done, found.planned) == (0, 19, 100)
    assert not found.stop


def test_a_large_difference_may_stop_runs_early() -> None:
    found = live_look(under_way("A", 0.4, 170, 1), under_way("B", 0.9, 200, 2), QUESTIONS)
    assert found.look == 2
    assert found.stop
    assert found.difference is not None
    assert found.difference > 0.3


def test_equal_runs_go_on() -> None:
    found = live_look(under_way("A", 0.5, 400, 3), under_way("B", 0.5, 400, 4), QUESTIONS)
    assert (found.look, found.stop) == (5, False)


def test_a_look_says_the_same_until_the_next_is_due() -> None:
    looks = [live_look(under_way("A", 0.4, n, 1), under_way("B", 0.6, n, 2), QUESTIONS) for n in (160, 200, 239)]
    assert len({(look.look, look.difference, look.p, look.stop) for look in looks}) == 1
    assert live_look(under_way("A", 0.4, 240, 1), under_way("B", 0.6, 240, 2), QUESTIONS).look == 3


def test_videos_that_are_answered_in_part_do_not_count() -> None:
    found = live_look(under_way("A", 0.4, 83, 1), under_way("B", 0.6, 83, 2), QUESTIONS)
    assert found.done == 20


def test_what_a_look_says_is_told_in_words() -> None:
    def said(done: int, accuracy: float) -> str:
        found = live_look(under_way("A", 0.4, done, 1), under_way("B", accuracy, done, 2), QUESTIONS)
        return live_sentence(found, "A", "B", "source video")

    assert said(40, 0.9) == "10 of 100 source videos are finished in both runs; the first of 5 looks is at 20."
    assert said(170, 0.9).startswith("Look 2 of 5: B has ")
    assert said(170, 0.9).endswith("in random order: the runs may stop.")
    assert said(170, 0.4).endswith("It isn't shown so far; the next look is at 60 source videos.")
    assert said(400, 0.4).endswith(" No difference is shown.")
