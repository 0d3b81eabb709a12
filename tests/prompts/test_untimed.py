"""Frames of unknown time: what names the questions that have them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from egocross_eval.prompts.untimed import named, untimed, untimed_note
from egocross_eval.schema import Frame, Question


def question(number: int, *, timed: bool, **labels: str) -> Question:
    frame = Frame(name=f"{number}.jpg", time=0.0 if timed else None)
    return Question(id=number, key=f"q{number}", text="?", options={}, frames=(frame,), cluster="", labels=labels)


def test_the_label_with_the_fewest_values_that_hold_just_these_questions_names_them() -> None:
    questions = [
        question(1, timed=False, domain="surgery", dataset="One", kind="where"),
        question(2, timed=False, domain="surgery", dataset="One", kind="when"),
        question(3, timed=True, domain="surgery", dataset="Two", kind="how"),
        question(4, timed=False, domain="industry", dataset="Three", kind="which"),
    ]
    assert untimed(questions) == {"One": 2, "Three": 1}
    assert untimed_note(questions) == "3 of 4 questions (One 2, Three 1)"


def test_questions_that_no_label_tells_from_the_others_are_counted_alone() -> None:
    questions = [question(1, timed=False, dataset="One"), question(2, timed=True, dataset="One")]
    assert untimed(questions) == {"": 1}
    assert untimed_note(questions, "examples") == "1 of 2 examples"


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abc"), st.sampled_from("xy"))))
def test_each_question_of_unknown_time_is_counted_once(drawn: list[tuple[bool, str, str]]) -> None:
    questions = [question(n, timed=t, first=a, second=b) for n, (t, a, b) in enumerate(drawn)]
    counts = untimed(questions)
    assert sum(counts.values()) == sum(not timed for timed, _, _ in drawn)
    assert bool(untimed_note(questions)) == bool(counts)
    assert all(f"{name} {count}" in named(counts) for name, count in counts.items() if name)
