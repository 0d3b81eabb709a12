"""Two runs compared question by question."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace
from scored_samples import OPTIONS, question, record, sample, whole_testbed, with_answer

from egocross_eval.errors import UsageError
from egocross_eval.schema import Outcome, Sample
from egocross_eval.scoring.comparison import ComparedRun, Comparison, compare_all, verdict_sentence
from egocross_eval.scoring.paired import mcnemar_exact


def run(label: str, lines: list[Sample], **changes: object) -> ComparedRun:
    return ComparedRun(label=label, record=record(label, **changes), samples=tuple(lines))


def of(outcomes: list[Outcome], first: int = 1) -> list[Sample]:
    return [sample(question(number), outcome) for number, outcome in enumerate(outcomes, first)]


def compared(first: list[Sample], second: list[Sample]) -> Comparison:
    return compare_all([run("A", first), run("B", second)])[0]


def run_over_testbed(label: str, accuracy: float, seed: int) -> ComparedRun:
    rng = random.Random(seed)
    return run(label, [sample(q, "right" if rng.random() < accuracy else "wrong") for q in whole_testbed()])


def test_flips_are_counted_and_named_in_each_direction() -> None:
    first = of(["right", "right", "wrong", "wrong", "not_parsed"])
    second = of(["right", "wrong", "right", "not_parsed", "right"])
    found = compared(first, second)
    names = [s.question.key for s in first]
    assert found.gained == (names[2], names[4])
    assert found.lost == (names[1],)
    assert (found.micro.first_right, found.micro.second_right, found.micro.n) == (2, 3, 5)
    assert found.micro.difference == pytest.approx(0.2)
    assert found.micro.p == mcnemar_exact(2, 1)


def test_agreement_is_by_letter_and_by_outcome() -> None:
    found = compared(of(["right", "wrong", "wrong", "not_parsed"]), of(["right", "wrong", "not_parsed", "not_parsed"]))
    assert found.same_letter == 2
    assert found.same_outcome == 4


def test_only_what_both_answered_is_compared_and_the_rest_is_said() -> None:
    first = of(["right", "wrong", "right", "errored", "right"])
    second = of(["right", "right", "wrong", "right", "wrong", "right"], first=2)
    found = compared(first, second)
    assert found.micro.n == 3
    assert found.notes[:3] == (
        "left out, as only A has them: 1",
        "left out, as only B has them: 2",
        "left out, as they failed or have no known answer in one of the runs: 1",
    )


def test_questions_that_changed_are_left_out() -> None:
    first, second = of(["right", "right"]), of(["wrong", "right"])
    other = replace(second[0].question, options={**OPTIONS, "D": "black"})
    found = compared(first, [replace(second[0], question=other), second[1]])
    assert found.micro.n == 1
    assert "left out, as their text, options or answer differ: 1" in found.notes


def test_runs_that_share_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="share no scored question"):
        compared(of(["right"]), of(["right"], first=2))


def test_one_run_is_refused() -> None:
    with pytest.raises(UsageError, match="at least two"):
        compare_all([run("A", of(["right"]))])


def test_what_was_asked_differently_is_listed() -> None:
    lines = of(["right", "wrong"])
    changed = {"frames": "uniform:8", "timestamps": True, "style": "json"}
    second = run("B", lines, prompt=changed, generation={"max_new_tokens": 64}, versions={"egocross-eval": "0.2.0"})
    found = compare_all([run("A", lines), second])[0]
    assert {(d.what, d.first, d.second) for d in found.differences} == {
        ("frames", "all", "uniform:8"),
        ("timestamps", "no", "yes"),
        ("style", "letter", "json"),
        ("max new tokens", "1024", "64"),
        ("version of egocross-eval", "0.1.0", "0.2.0"),
    }


def test_questions_sent_differently_are_counted() -> None:
    first = of(["right", "wrong", "wrong"])
    second = [
        with_answer(s, sent=replace(s.answers[0].sent, content_hash=f"other{i}")) if i else s
        for i, s in enumerate(first)
    ]
    assert "2 of 3 shared questions were sent differently" in compared(first, second).notes
    assert compared(first, first).notes == ()


def test_looks_are_by_every_grouping_of_one_label_and_corrected_for_their_number() -> None:
    found = compare_all([run_over_testbed("A", 0.40, 1), run_over_testbed("B", 0.46, 2)])[0]
    assert [look.name for look in found.looks["domain"]] == ["animal", "industry", "surgery", "xsports"]
    assert sum(look.n for look in found.looks["domain"]) == found.micro.n == 957
    assert {name: len(group) for name, group in found.looks.items()} == {
        "domain": 4,
        "category": 1,
        "question_type": 1,
        "dataset": 4,
    }
    smallest = min((look for group in found.looks.values() for look in group), key=lambda look: look.p)
    assert smallest.p_adjusted == pytest.approx(min(1.0, 10 * smallest.p))
    assert found.micro.p_adjusted == found.micro.p


def test_several_comparisons_are_corrected_together() -> None:
    runs = [run_over_testbed("A", 0.40, 1), run_over_testbed("B", 0.46, 2), run_over_testbed("C", 0.41, 3)]
    alone, both = compare_all(runs[:2])[0], compare_all(runs)
    assert [c.second for c in both] == ["B", "C"]
    assert both[0].micro.p == alone.micro.p
    assert both[0].micro.p_adjusted == pytest.approx(2 * alone.micro.p)


def test_a_large_difference_is_shown() -> None:
    found = compare_all([run_over_testbed("A", 0.40, 1), run_over_testbed("B", 0.60, 2)])[0]
    assert found.verdict == "shown"
    sentence = verdict_sentence(found)
    assert sentence.startswith("B is better than A by ")
    assert sentence.endswith(": shown by these data.")


def test_a_small_difference_is_not_shown_and_the_size_needed_is_said() -> None:
    rng = random.Random(3)
    questions = whole_testbed()
    first = [sample(q, "right" if rng.random() < 0.45 else "wrong") for q in questions]
    flipped = set(rng.sample(range(957), 150))
    second = [
        sample(s.question, "wrong" if (s.outcome == "right") == (i in flipped) else "right")
        for i, s in enumerate(first)
    ]
    found = compared(first, second)
    assert found.verdict == "not shown"
    assert found.needed is not None
    assert found.needed > 957
    ahead = "B" if found.micro.difference > 0 else "A"
    sentence = verdict_sentence(found)
    assert sentence.startswith(f"{ahead} is better than ")
    assert ": not shown by these data; about " in sentence
    assert sentence.endswith(" questions would be needed.")


def test_the_better_run_is_named_whichever_comes_first() -> None:
    better, worse = run_over_testbed("good", 0.60, 2), run_over_testbed("bad", 0.40, 1)
    one, other = compare_all([worse, better])[0], compare_all([better, worse])[0]
    assert one.micro.difference == pytest.approx(-other.micro.difference)
    assert verdict_sentence(one).startswith("good is better than bad by ")
    assert verdict_sentence(other).startswith("good is better than bad by ")


def test_equally_good_runs_are_said_to_be_so() -> None:
    lines = of(["right", "wrong"] * 20)
    sentence = verdict_sentence(compared(lines, lines))
    assert sentence.startswith("B and A have equally many of 40 questions right")
    assert sentence.endswith("no difference is shown.")


def test_an_interval_that_the_exact_test_does_not_confirm_is_called_unclear() -> None:
    # Every video gains exactly two of eight and loses one: the videos agree perfectly but for one, the questions don't.
    first, second = [], []
    number = 0
    for video in range(12):
        fates: list[tuple[Outcome, Outcome]] = [("right", "right")] * 8
        fates[:3] = ("wrong", "right"), ("wrong", "right"), ("right", "wrong")
        if video == 0:
            fates[3] = ("wrong", "right")
        if video == 1:
            fates[4] = ("right", "wrong")
        for a, b in fates:
            number += 1
            asked = question(number, cluster=f"EgoPet/v{video}")
            first.append(sample(asked, a))
            second.append(sample(asked, b))
    found = compared(first, second)
    assert found.micro.low > 0
    assert found.micro.p > 0.05
    assert found.verdict == "unclear"
    assert "not sure" in verdict_sentence(found)
