"""Two runs compared question by question."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace
from scored_samples import OPTIONS, question, record, sample, whole_testbed, with_answer

from egocross_eval.errors import UsageError
from egocross_eval.schema import Outcome, Sample
from egocross_eval.scoring.align import align
from egocross_eval.scoring.comparison import ComparedRun, Comparison, Look, compare_all, compare_pairs
from egocross_eval.scoring.difference import mcnemar_exact
from egocross_eval.scoring.verdict import verdict_sentence


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
    assert found.p_independent == mcnemar_exact(2, 1)
    assert found.micro.p is None  # five videos


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


def looks_of(found: Comparison, grouping: str) -> dict[str, Look]:
    return {look.name: look for look in found.looks[grouping]}


def test_looks_are_by_domain_and_type_and_each_of_these_is_a_family() -> None:
    found = compare_all([run_over_testbed("A", 0.40, 1), run_over_testbed("B", 0.46, 2)])[0]
    domains = looks_of(found, "domain")
    assert list(domains) == ["animal", "industry", "surgery", "xsports"]
    assert sum(look.n for look in domains.values()) == found.micro.n == 957
    assert {look.family for look in domains.values()} == {4}
    smallest = min(domains.values(), key=lambda look: look.p or 1)
    assert smallest.p is not None
    assert smallest.p_adjusted == pytest.approx(min(1.0, 4 * smallest.p))
    (only,) = found.looks["question_type"]
    assert only.p_adjusted == only.p == found.micro.p == found.micro.p_adjusted


def test_all_pairs_of_the_runs_given_are_corrected_together() -> None:
    runs = [run_over_testbed("A", 0.40, 1), run_over_testbed("B", 0.46, 2), run_over_testbed("C", 0.41, 3)]
    alone, both = compare_all(runs[:2])[0], compare_all(runs)
    assert [c.second for c in both] == ["B", "C"]
    assert both[0].micro.family == 3
    assert both[0].micro.p == pytest.approx(alone.micro.p)
    assert both[0].micro.high - both[0].micro.low > alone.micro.high - alone.micro.low
    every = {(p.first, p.second): p.comparison for p in compare_pairs(runs, align(runs))}
    assert [every[0, 1], every[0, 2]] == both


def test_an_incomplete_run_does_not_change_the_verdict_on_others() -> None:
    runs = [run_over_testbed("A", 0.40, 1), run_over_testbed("B", 0.46, 2), run_over_testbed("C", 0.41, 3)]
    broken = replace(runs[2], samples=runs[2].samples[:-1])
    alone, beside = compare_all(runs[:2])[0], compare_all([*runs[:2], broken])
    assert beside[0] == alone
    assert beside[1].micro.family == 2


def test_interval_and_verdict_agree_in_every_look() -> None:
    runs = [run_over_testbed(name, 0.38 + 0.03 * place, place) for place, name in enumerate("ABCDE")]
    for comparison in compare_all(runs):
        looks = [comparison.micro, comparison.macro, *(one for group in comparison.looks.values() for one in group)]
        for look in looks:
            beside = look.low >= 0 or look.high <= 0
            assert beside == (look.verdict == "shown"), look


def test_a_large_difference_is_shown() -> None:
    found = compare_all([run_over_testbed("A", 0.40, 1), run_over_testbed("B", 0.60, 2)])[0]
    assert found.verdict == "shown"
    assert found.p_flip < 0.001
    sentence = verdict_sentence(found)
    assert sentence.startswith("B is better than A: ")
    assert " points more (" in sentence


def test_a_small_difference_is_not_shown_and_what_would_be_is_said() -> None:
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
    assert 0.03 < found.micro.smallest < 0.05
    ahead, behind = ("B", "A") if found.micro.difference > 0 else ("A", "B")
    sentence = verdict_sentence(found)
    assert sentence.startswith(f"No difference shown: {ahead} has ")
    assert f" points more than {behind} (-" in sentence
    assert sentence.endswith(" points would be shown in 80 % of cases.")


def test_the_better_run_is_named_whichever_comes_first() -> None:
    better, worse = run_over_testbed("good", 0.60, 2), run_over_testbed("bad", 0.40, 1)
    one, other = compare_all([worse, better])[0], compare_all([better, worse])[0]
    assert one.micro.difference == pytest.approx(-other.micro.difference)
    assert verdict_sentence(one) == verdict_sentence(other)
    assert verdict_sentence(one).startswith("good is better than bad: ")


def test_equally_good_runs_are_said_to_be_so() -> None:
    lines = of(["right", "wrong"] * 20)
    sentence = verdict_sentence(compared(lines, lines))
    assert sentence.startswith("No difference shown: B and A have equally many of 40 questions right (-")


def test_what_rounding_leaves_of_no_difference_is_none() -> None:
    lines = of(["right", "wrong"] * 20)
    found = compared(lines, lines)
    rounded = replace(found, micro=replace(found.micro, difference=-7e-18))
    assert "have equally many of 40 questions right" in verdict_sentence(rounded)


def test_few_videos_are_said_to_be_too_few() -> None:
    asked = [question(n, cluster=f"EgoPet/v{n % 4}") for n in range(24)]
    found = compared([sample(q, "wrong") for q in asked], [sample(q, "right") for q in asked])
    assert found.verdict == "too few"
    assert found.micro.p is None
    assert verdict_sentence(found).startswith(
        "Too few source videos to tell (4 source videos): B has 100.0 points more"
    )


def test_the_macro_look_shows_the_macro_means_of_both_runs() -> None:
    asked = [question(number, domain="animal", cluster=f"a{number}") for number in range(1, 9)]
    asked += [question(number, domain="surgery", cluster=f"s{number}") for number in range(9, 11)]
    first = [sample(one, "right" if one.id <= 8 else "wrong") for one in asked]
    second = [sample(one, "right" if one.id <= 4 or one.id == 9 else "wrong") for one in asked]
    (found,) = compare_all([run("first", first), run("second", second)])
    assert (found.macro.first, found.macro.second) == pytest.approx((0.5, 0.5))
    assert found.macro.difference == pytest.approx(found.macro.second - found.macro.first)
    assert (found.micro.first, found.micro.second) == pytest.approx((0.8, 0.5))
