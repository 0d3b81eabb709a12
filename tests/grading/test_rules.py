"""Answers in free words are told right from wrong by rules, and nothing that merely looks like the reference passes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egocross_eval.grading.rules import RulesGrader
from egocross_eval.grading.values import Value, same_as_reference, spoken, value_of, values_in
from egocross_eval.schema import Decision, Question

COUNT = "How many distinct types of objects were visible in the video segment from 0.00s to 10.00s?"
TOOLS = ("hook", "grasper", "specimen-bag", "irrigator")
PARTS = ("board", "decontact the board", "battery", "battery connector")
RANGES = ("13.4-15.4 seconds", "10.1-12.1 seconds", "2.2-4.2 seconds", "6.5-8.5 seconds")


def graded(reference: str, said: str, *options: str, text: str = "What is it?") -> str:
    hidden = dict(zip("ABCD", options or (reference,), strict=False))
    question = Question(id=1, key="k", text=text, target=reference, hidden_options=hidden)
    return RulesGrader().grade(question, Decision(text=said)).outcome


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("3", "three"),
        ("3", "The answer is 3."),
        ("5.7s", "5.70 seconds"),
        ("5.7s", "0:05.7"),
        ("5.7s", "5.7"),
        ("90s", "1.5 minutes"),
        ("13.4-15.4 seconds", "from 13.4s to 15.4s"),
        ("13.4-15.4 seconds", "between 13.4 and 15.4 s"),
        ("13.4-15.4 seconds", "13.4 – 15.4 s"),
        ("bottom-center", "the lower middle"),
        ("Curveleft → Bumpyforward → Spin", "curve left -> bumpy forward -> spin"),
        ("specimen-bag", "Specimen bag"),
        ("Needle Holders", "It is the needle holders."),
    ],
)
def test_the_same_in_other_words_is_the_same(reference: str, said: str) -> None:
    assert same_as_reference(said, reference)
    assert graded(reference, said) == "right"


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("1", "10 seconds"),
        ("1", "10"),
        ("3", "3 seconds"),
        ("5.7s", "57s"),
        ("5.7s", "5.7 minutes"),
        ("13.4-15.4 seconds", "13.4 seconds"),
        ("bottom-center", "bottom-left"),
        ("board", "decontact the board"),
        ("Left → Jump", "Jump → Left"),
        ("hook", ""),
    ],
)
def test_what_only_looks_alike_is_not_the_same(reference: str, said: str) -> None:
    assert not same_as_reference(said, reference)


@pytest.mark.parametrize(
    ("reference", "said", "options", "outcome"),
    [
        ("3", "I count three types of objects.", "1234", "right"),
        ("3", "From 0.00s to 10.00s there are 3.", "1234", "right"),
        ("3", "3 or 4", "1234", "wrong"),
        ("3", "I looked at one after the other, and the last one shows three.", "1234", "right"),
        ("3", "First I saw 2, then 4. The answer is 3.", "1234", "right"),
        ("3", "The answer is 3 or 4.", "1234", "wrong"),
        ("3", "The answer is 3. No, the answer is 4.", "1234", "wrong"),
        ("3", "3-4 objects", "1234", "wrong"),
        ("3", "1, 2, 3 and 4", "1234", "wrong"),
        ("3", "It cannot be determined.", "1234", "wrong"),
        ("specimen-bag", "A specimen bag is held, not the hook.", TOOLS, "right"),
        ("specimen-bag", "hook, grasper, specimen-bag, irrigator", TOOLS, "wrong"),
        ("specimen-bag", "hook. The right mark is 5.", TOOLS, "wrong"),
        ("specimen-bag", "I can't tell.", TOOLS, "wrong"),
        ("specimen-bag", "a kangaroo", TOOLS, "wrong"),
        ("battery", "the battery connector", PARTS, "wrong"),
        ("battery connector", "The hand touches the battery connector.", PARTS, "right"),
        ("13.4-15.4 seconds", "at 13.2 to 15.2 seconds", RANGES, "right"),
        ("13.4-15.4 seconds", "at 12.2 to 14.2 seconds", RANGES, "wrong"),
        ("13.4-15.4 seconds", "around 14 seconds", RANGES, "wrong"),
        ("5.7s", "about 5.5 seconds in", ("5.7s", "5.4s"), "wrong"),
        ("5.7s", "about 5.5 seconds in", ("5.7s", "3.1s"), "right"),
    ],
)
def test_a_longer_answer_is_taken_for_what_it_settles_on(
    reference: str, said: str, options: tuple[str, ...], outcome: str
) -> None:
    assert graded(reference, said, *options, text=COUNT) == outcome


def test_nothing_said_is_not_parsed_and_no_reference_unscored() -> None:
    question = Question(id=1, key="k", text="?", target="3")
    assert RulesGrader().grade(question, Decision(reason="empty")).outcome == "not_parsed"
    assert RulesGrader().grade(question.without_target(), Decision(text="3")).outcome == "unscored"


numbers = st.integers(0, 5000).map(lambda n: n / 100)


@given(st.integers(0, 5000), st.integers(1, 5000))
def test_any_range_is_read_from_its_other_wordings(first: int, length: int) -> None:
    start, end = first / 100, (first + length) / 100
    value = Value("range", (start, end))
    assert value_of(f"{start:.2f}-{end:.2f} seconds") == value
    assert [value_of(text) for text in spoken(value)] == [value]
    assert values_in(f"It happens {next(spoken(value))}, I think.", "range") == [value]


@given(numbers)
def test_any_time_is_read_from_its_other_wordings(seconds: float) -> None:
    value = Value("time", (seconds,))
    assert {value_of(text) for text in spoken(value)} == {value}


@settings(max_examples=30)
@given(st.text(max_size=200), st.sampled_from([*TOOLS, *RANGES, "3", "5.7s", "bottom-center"]))
def test_any_text_has_a_verdict(said: str, reference: str) -> None:
    assert graded(reference, said or ".", *TOOLS, text=COUNT) in ("right", "wrong")


@pytest.mark.parametrize("said", ["{" * 100_000, "3 " * 50_000, "a" * 100_000, "1-" * 50_000, "top left " * 12_000])
def test_a_hundred_thousand_characters_take_no_time(said: str) -> None:
    for reference in ("13.4-15.4 seconds", "hook"):
        assert graded(reference, said, *TOOLS) in ("right", "wrong")
