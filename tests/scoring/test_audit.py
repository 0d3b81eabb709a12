"""A run beside probes that take something away."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace
from scored_samples import OPTIONS, question, record, sample, whole_testbed

from egocross_eval.schema import Answer, Ask, Question, Reading, Response, Sample, Sent
from egocross_eval.scoring.audit import audit
from egocross_eval.scoring.comparison import ComparedRun
from egocross_eval.scoring.rotations import rotations
from egocross_eval.tasks.egocross.tasks import EGOCROSS

LETTERS = list(OPTIONS)


def run(label: str, lines: list[Sample]) -> ComparedRun:
    return ComparedRun(label=label, record=record(label), samples=tuple(lines))


def rotated(asked: Question, said: list[str]) -> Sample:
    """A sample with the letters said under each rotation of the options."""
    texts = list(asked.options.values())
    answers = [
        Answer(
            ask=Ask(name=f"r{k}", options=dict(zip(LETTERS, texts[k:] + texts[:k], strict=True))),
            sent=Sent(),
            response=Response(key=f"{asked.key}#r{k}", text=letter),
            reading=Reading(label=letter, rule="bare"),
        )
        for k, letter in enumerate(said)
    ]
    return replace(sample(asked, "right"), answers=tuple(answers))


def test_a_model_that_sees_what_it_cannot_guess_is_credited_with_that() -> None:
    rng = random.Random(1)
    questions = whole_testbed()
    guessed = [rng.random() < 0.4 for _ in questions]
    sees = [rng.random() < 0.5 for _ in questions]
    blind = [sample(q, "right" if g else "wrong") for q, g in zip(questions, guessed, strict=True)]
    seeing = [sample(q, "right" if g or s else "wrong") for q, g, s in zip(questions, guessed, sees, strict=True)]
    found = audit(run("A", seeing), {"blind": run("blind", blind)})
    assert found.accuracy == pytest.approx(0.7, abs=0.04)
    assert found.sees is not None
    assert found.sees.low < 0.5 < found.sees.high
    assert found.sees.share == pytest.approx(0.5, abs=0.06)
    assert found.probes["blind"].micro.difference == pytest.approx(0.3, abs=0.04)


def test_a_model_that_only_guesses_sees_nothing() -> None:
    rng = random.Random(2)
    lines = [[sample(q, rng.choice(["right", "wrong"])) for q in whole_testbed()] for _ in range(2)]
    found = audit(run("A", lines[0]), {"blind": run("blind", lines[1])})
    assert found.sees is not None
    assert found.sees.low < 0 < found.sees.high


def test_without_answers_there_is_nothing_to_audit() -> None:
    found = audit(run("A", [sample(question(1), "errored")]), {"blind": run("blind", [sample(question(1), "right")])})
    assert found.accuracy is None
    assert found.probes == {}


def test_a_model_that_follows_the_option_uses_all_letters_alike() -> None:
    asked = [question(n, cluster=f"EgoPet/v{n // 3}") for n in range(60)]
    found = rotations([rotated(q, ["A", "D", "C", "B"]) for q in asked], EGOCROSS.record())
    assert found is not None
    assert (found.asked, found.same_option, found.same_place) == (60, 60, 0)
    assert found.distance == 0
    assert found.p == 1
    assert [place.accuracy for place in found.places] == [1, 1, 1, 1]


def test_a_model_that_always_says_a_is_right_where_the_right_option_stands_at_a() -> None:
    asked = [question(n, cluster=f"EgoPet/v{n // 3}") for n in range(60)]
    found = rotations([rotated(q, ["A", "A", "A", "A"]) for q in asked], EGOCROSS.record())
    assert found is not None
    assert (found.same_option, found.same_place) == (0, 60)
    assert found.same_place_by_chance == pytest.approx(1 / 64)
    assert [(p.letter, p.share, p.accuracy) for p in found.places] == [
        ("A", 1, 1),
        ("B", 0, 0),
        ("C", 0, 0),
        ("D", 0, 0),
    ]
    assert found.distance == pytest.approx(0.75)
    assert found.p < 0.01


def test_questions_that_were_not_read_in_all_rotations_do_not_count() -> None:
    one = rotated(question(1), ["A", "A", "A", "A"])
    unread = replace(one, answers=(*one.answers[:3], replace(one.answers[3], reading=Reading(reason="refusal"))))
    assert rotations([unread, sample(question(2), "right")], EGOCROSS.record()) is None
