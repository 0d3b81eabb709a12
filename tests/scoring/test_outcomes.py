"""What each question is worth, in the form that rows carry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval.errors import DataError
from egocross_eval.scoring.outcomes import Outcome, averaged, compact, interval_of, table

NAMES = st.text(st.characters(categories=["L", "N"]), max_size=3)
CREDITS = st.one_of(st.none(), st.sampled_from([0.0, 1.0]), st.floats(0, 1))


@given(st.lists(st.tuples(NAMES, NAMES, CREDITS), min_size=1, max_size=30))
def test_outcomes_come_back_as_they_were(items: list[tuple[str, str, float | None]]) -> None:
    outcomes = [Outcome(part, cluster, f"q{n:02}", credit) for n, (part, cluster, credit) in enumerate(items)]
    found = table(compact(outcomes))
    ordered = sorted(outcomes, key=lambda one: one[:3])
    assert found.parts == tuple(one.part for one in ordered)
    assert [one is None for one in found.credits] == [one.credit is None for one in ordered]
    for mine, theirs in zip(found.credits, ordered, strict=True):
        assert mine == pytest.approx(theirs.credit, abs=1e-5)


def test_right_and_wrong_take_a_character_each_and_shares_are_written_out() -> None:
    assert compact([Outcome("a", "v", "1", 1.0), Outcome("a", "v", "2", 0.0), Outcome("a", "v", "3", None)]) == {
        "a": {"v": "10-"}
    }
    assert compact([Outcome("a", "v", "1", 0.5)]) == {"a": {"v": "0.5 "}}


def test_questions_without_a_cluster_stand_alone() -> None:
    found = table({"a": {"": "101"}})
    assert len(set(found.clusters)) == 3


def test_repeats_are_averaged_question_by_question() -> None:
    assert averaged([{"a": {"v": "110"}}, {"a": {"v": "100"}}]) == {"a": {"v": "1 0.5 0 "}}


def test_repeats_of_other_questions_are_not_averaged() -> None:
    assert averaged([{"a": {"v": "110"}}, {"a": {"v": "10"}}]) is None
    assert averaged([{"a": {"v": "110"}}, {"a": {"v": "1-0"}}]) is None


@pytest.mark.parametrize("text", ["12", "1x", "0.5 2 ", "nan "])
def test_other_texts_are_no_outcomes(text: str) -> None:
    with pytest.raises(DataError, match="a / v"):
        table({"a": {"v": text}})


def test_the_interval_of_means_is_narrower_than_that_of_a_run() -> None:
    right = {"a": {f"v{n}": ("10" if n % 2 else "01") for n in range(40)}}
    wrong = {"a": {f"v{n}": ("01" if n % 2 else "10") for n in range(40)}}
    means = averaged([right, wrong, right])
    assert means is not None
    one, mean = interval_of(table(right)), interval_of(table(means))
    assert mean.high - mean.low < 0.8 * (one.high - one.low)
