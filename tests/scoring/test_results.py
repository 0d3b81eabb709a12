"""What a run's questions count for."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from scored_samples import outcomes, question, record, sample, samples, score_samples, whole_testbed, write_run

from egocross_eval.contracts.registry import registry
from egocross_eval.leaderboard.derived import compute_results
from egocross_eval.schema import Figure, Outcome, Results, Sample


def scored(lines: list[Sample], total: int | None = None) -> Results:
    return score_samples(lines, total=len(lines) if total is None else total)


def micro(results: Results) -> Figure:
    assert results.micro is not None
    return results.micro


def macro(results: Results) -> Figure:
    assert results.macro is not None
    return results.macro


def test_right_wrong_not_parsed_filtered_and_errored_are_five_numbers() -> None:
    outcomes: list[Outcome] = ["right", "right", "right", "wrong", "wrong", "not_parsed", "filtered", "errored"]
    results = scored(samples(outcomes))
    counted = {"right": 3, "wrong": 2, "not_parsed": 1, "filtered": 1, "errored": 1}
    assert results.counts == counted | {"unscored": 0, "total": 8, "missing": 0}
    figure = micro(results)
    assert {name: getattr(figure, name) for name in counted} == counted
    assert figure.n == 8


def test_a_filtered_answer_counts_as_wrong_and_leaves_a_run_complete() -> None:
    results = scored(samples(["right", "filtered", "wrong", "filtered"]))
    assert (micro(results).accuracy, micro(results).open, results.complete) == (0.25, 0, True)


def test_not_parsed_counts_as_wrong() -> None:
    results = scored(samples(["right", "not_parsed", "not_parsed", "not_parsed"]))
    assert micro(results).accuracy == 0.25
    assert results.complete


def test_an_errored_question_makes_the_run_incomplete_and_the_accuracy_a_lower_bound() -> None:
    broken = scored(samples(outcomes(right=10, wrong=9, errored=1)))
    at_best = scored(samples(outcomes(right=11, wrong=9)))
    assert not broken.complete
    assert micro(broken).open == 1
    assert micro(broken).accuracy == 10 / 20
    assert micro(broken).high == pytest.approx(micro(at_best).high)
    at_worst = scored(samples(outcomes(right=10, wrong=10)))
    assert micro(broken).low == pytest.approx(micro(at_worst).low)
    domain = broken.groups["domain"]["animal"]
    assert (domain.low, domain.high) == (micro(broken).low, micro(broken).high)


def test_a_dead_server_gets_no_score() -> None:
    results = scored(samples(["errored"] * 5))
    assert results.micro is None
    assert results.macro is None
    assert results.groups == {}
    assert results.counts["errored"] == 5
    assert not results.complete


def test_a_domain_that_failed_altogether_leaves_no_macro() -> None:
    lines = [*samples(["right", "wrong"]), sample(question(9, domain="surgery"), "errored")]
    results = scored(lines)
    assert results.macro is None
    assert list(results.groups["domain"]) == ["animal"]
    assert micro(results).n == 3


def test_a_question_in_no_group_leaves_no_macro() -> None:
    lines = [*samples(["right", "wrong"]), sample(question(9, domain=""), "right")]
    results = scored(lines)
    assert results.macro is None
    assert list(results.groups["domain"]) == ["animal"]
    assert micro(results).accuracy == pytest.approx(2 / 3)


@pytest.mark.parametrize("outcome", ["unscored", "not_parsed"])
def test_without_answers_there_is_no_accuracy(outcome: Outcome) -> None:
    results = scored(samples([outcome] * 4, target=None))
    assert results.micro is None
    assert results.macro is None
    assert results.groups == {}
    assert results.counts[outcome] == 4
    assert results.complete, "every question is answered, and that's what such a run is for"


def test_without_answers_a_question_that_failed_leaves_a_run_incomplete() -> None:
    assert not scored(samples(["unscored", "errored"], target=None)).complete
    assert not scored(samples(["unscored"], target=None), total=2).complete


def test_with_answers_to_a_part_of_the_questions_a_run_is_incomplete() -> None:
    lines = [*samples(["right"]), sample(question(9, target=None), "unscored")]
    assert not scored(lines).complete


def test_answers_that_wait_for_a_judge_have_no_score_whatever_was_read() -> None:
    results = score_samples(samples(["unscored", "not_parsed"]), total=2, waits=True)
    assert (results.micro, results.groups, results.complete, results.waits) == (None, {}, True, True)
    assert results.counts["not_parsed"] == 1


def test_questions_not_asked_yet_are_missing() -> None:
    results = scored(samples(["right", "wrong"]), total=5)
    assert results.counts["missing"] == 3
    assert not results.complete


def test_nothing_asked_is_not_complete() -> None:
    results = scored([], total=0)
    assert results.micro is None
    assert not results.complete


def test_micro_counts_questions_and_macro_counts_domains() -> None:
    lines = [sample(question(n, domain="animal"), "right") for n in range(1, 9)]
    lines += [sample(question(n, domain="surgery"), "wrong") for n in range(9, 11)]
    results = scored(lines)
    assert micro(results).accuracy == 0.8
    assert macro(results).accuracy == 0.5


def test_groups_are_by_domain_category_type_dataset_and_cell() -> None:
    lines = [
        sample(question(1), "right"),
        sample(question(2, question_type="animal identification", category="Identification"), "wrong"),
        sample(question(3, domain="surgery"), "right"),
    ]
    groups = scored(lines).groups
    assert {name: {key: (f.right, f.n) for key, f in group.items()} for name, group in groups.items()} == {
        "domain": {"animal": (1, 2), "surgery": (1, 1)},
        "category": {"Counting": (2, 2), "Identification": (0, 1)},
        "question_type": {"animal identification": (0, 1), "object counting": (2, 2)},
        "dataset": {"EgoPet": (1, 2), "EgoSurgery": (1, 1)},
        "cell": {
            "EgoPet / animal identification": (0, 1),
            "EgoPet / object counting": (1, 1),
            "EgoSurgery / object counting": (1, 1),
        },
    }


def test_questions_without_a_type_form_no_group() -> None:
    groups = scored(samples(["right"], category="", question_type="")).groups
    assert set(groups) == {"domain", "dataset"}


def test_chance_knows_identical_options() -> None:
    twins = {"A": "red", "B": "green", "C": "blue", "D": "red"}
    lines = [sample(question(1), "right"), sample(question(2, options=twins, target="D"), "right")]
    assert micro(scored(lines)).chance == pytest.approx((1 / 4 + 2 / 4) / 2)


def test_the_chance_of_macro_is_the_mean_over_domains() -> None:
    twins = {"A": "red", "B": "red", "C": "blue", "D": "white"}
    lines = [sample(question(n), "right") for n in range(3)]
    lines += [sample(question(9, domain="surgery", options=twins), "right")]
    assert macro(scored(lines)).chance == pytest.approx((1 / 4 + 1 / 2) / 2)
    assert micro(scored(lines)).chance == pytest.approx((3 / 4 + 1 / 2) / 4)


def answered(seed: int, domain: str = "") -> list[Sample]:
    """Answers to the testbed, or to one of its domains, that differ by video."""
    rng = random.Random(seed)
    chances: dict[str, float] = {}
    lines = []
    for q in whole_testbed():
        chance = chances.setdefault(q.cluster, rng.random())
        lines.append(sample(q, "right" if rng.random() < chance else "wrong"))
    return [line for line in lines if not domain or line.question.label("domain") == domain]


def test_every_figure_has_the_one_interval_and_says_of_how_many_videos() -> None:
    results = scored(answered(4))
    figures = [micro(results), macro(results), *(f for group in results.groups.values() for f in group.values())]
    assert {figure.interval for figure in figures} == {"clustered"}
    assert micro(results).clusters == 132
    assert results.groups["domain"]["surgery"].clusters == 15
    assert all(figure.low < figure.accuracy < figure.high for figure in figures)


@pytest.mark.parametrize("domain", ["animal", "industry", "xsports", "surgery"])
def test_a_domain_has_the_same_figure_in_a_full_run_and_as_a_run_of_its_own(domain: str) -> None:
    full, alone = scored(answered(4)), scored(answered(4, domain))
    assert full.groups["domain"][domain] == alone.groups["domain"][domain] == micro(alone)
    assert (macro(alone).low, macro(alone).high) == (micro(alone).low, micro(alone).high)


def test_one_question_of_another_domain_changes_little() -> None:
    lines = answered(4, "surgery")
    before, after = micro(scored(lines)), micro(scored([*lines, sample(question(999), "right")]))
    assert after.low == pytest.approx(before.low, abs=0.01)
    assert after.high == pytest.approx(before.high, abs=0.01)


def test_all_right_is_not_certain() -> None:
    results = scored([sample(q, "right") for q in whole_testbed()])
    assert 0.95 < micro(results).low < 0.985
    assert macro(results).low < 1 == macro(results).high


def test_outcomes_are_kept_by_domain_and_video() -> None:
    lines = [
        sample(question(1, cluster="EgoPet/v1"), "right"),
        sample(question(2, cluster="EgoPet/v1"), "not_parsed"),
        sample(question(3, cluster="EgoPet/v2"), "errored"),
        sample(question(4, domain="surgery"), "wrong"),
    ]
    assert scored(lines).outcomes == {
        "animal": {"EgoPet/v1": "10", "EgoPet/v2": "-"},
        "surgery": {"EgoSurgery/v4": "0"},
    }


def test_results_do_not_depend_on_the_order_of_the_samples() -> None:
    random.seed(6)
    lines = [sample(q, random.choice(["right", "wrong", "not_parsed"])) for q in whole_testbed()]
    shuffled = random.sample(lines, len(lines))
    one, other = scored(lines), scored(shuffled)
    assert micro(one) == micro(other)
    assert (macro(one).low, macro(one).high) == (macro(other).low, macro(other).high)
    assert one.groups == other.groups


def test_tokens_and_seconds_are_summed_where_they_are_known(tmp_path: Path) -> None:
    lines = [
        sample(question(1), "right", input_tokens=10, output_tokens=2, seconds=0.5),
        sample(question(2), "errored"),
        sample(question(3), "wrong", input_tokens=5, seconds=0.25),
    ]
    folder = write_run(tmp_path / "run", record(question_count=3), lines)
    results = compute_results(folder, registry())
    assert results.tokens == {"input": 15, "output": 2}
    assert results.seconds == 0.75
