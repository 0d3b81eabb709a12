"""What the reader promises for any output."""

import importlib
import pkgutil
import re

import pytest

from egocross_eval.reading import extract, phrases
from egocross_eval.reading.patterns import Pattern

OPTIONS = {"A": "scalpel", "B": "forceps", "C": "grasper", "D": "scissors"}


@pytest.mark.parametrize(
    ("output", "rule", "evidence"),
    [
        ('{"prediction": "B", "reason": "A is wrong"}', "json_field", "B"),
        ("<answer>(C)</answer>", "answer_tag", "C"),
        (r"so \boxed{\text{D}}", "boxed", "D"),
        ("Ｂ", "whole_output", "Ｂ"),
        ("The answer is A. No wait, it is C.", "correction", "C"),
        ("I think the answer is most likely (b).", "statement", "b"),
        ("I'd go with option D here.", "choice", "D"),
        ("The jaws are blunt. Therefore, C.", "conclusion", "C"),
        ("The jaws are blunt.\n\nC. grasper", "last_line", "C"),
        ("C. grasper\nThe jaws are blunt.", "leading_letter", "C"),
        ("Of these, B fits best.", "verdict", "B"),
        ("The frames show (D) near the end.", "only_letter", "D"),
        ("Finally the surgeon uses scissors.", "option_text", "scissors"),
    ],
)
def test_each_rule_names_itself_and_points_at_its_evidence(output: str, rule: str, evidence: str) -> None:
    found = extract(output, OPTIONS)
    assert found.rule == rule
    assert found.span is not None
    assert output[slice(*found.span)] == evidence


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (" \n\u200b", "empty"),
        ("Traceback (most recent call last):\n  ...", "error_text"),
        ("<think>The answer is A because", "unfinished_thinking"),
        ("A or C", "several_letters"),
        ("The answer is A. Forceps", "contradiction"),
        ("The answer is F.", "out_of_range"),
        ("I cannot see the video.", "refusal"),
        ("It is definitely not B.", "refuted"),
        ("The surgeon is at work.", "no_answer"),
    ],
)
def test_each_reason_for_abstaining_has_its_word(output: str, reason: str) -> None:
    assert extract(output, OPTIONS).reason == reason


def test_the_last_decided_answer_counts() -> None:
    assert extract("The answer is A.\n\nChecking once more, the answer is D.", OPTIONS).letter == "D"


def test_an_explicit_field_wins_over_the_reasoning_around_it() -> None:
    assert extract('I first took it for A.\n{"answer": "B", "reason": "the answer is not A"}', OPTIONS).letter == "B"


def test_the_span_counts_characters_of_the_raw_output_behind_thinking_and_markup() -> None:
    output = "<think>A?</think>\n**The answer is** &nbsp; \u200b**C**."
    found = extract(output, OPTIONS)
    assert found.span is not None
    assert output[slice(*found.span)] == "C"


def test_of_a_very_long_output_the_two_ends_are_read() -> None:
    filler = "The jaws are blunt. " * 20_000
    output = f"{filler}The answer is A.{filler}The answer is C."
    found = extract(output, OPTIONS)
    assert found.letter == "C"
    assert found.span is not None
    assert output[slice(*found.span)] == "C"
    assert extract(f"{filler}The answer is A.{filler}", OPTIONS).reason == "no_answer"


def test_what_stands_behind_an_invented_turn_is_no_answer() -> None:
    assert extract("B\nuser\nWhich tool is next?\nassistant\nC", OPTIONS).letter == "B"
    assert extract("It is bright.\nQuestion: Which law?\nA. civil\nB. common\nAnswer: A", OPTIONS).letter is None


def test_a_role_word_that_is_an_option_ends_no_turn() -> None:
    assert extract("The one who speaks is:\nassistant\nnot the user", {"A": "surgeon", "B": "assistant"}).letter != "A"


def test_letters_alone_are_enough_to_read_an_output() -> None:
    assert extract("Answer: b", {}, "ABC").letter == "B"
    assert extract("Answer: D", {}, "ABC").reason == "out_of_range"


def test_letters_come_back_as_they_were_given() -> None:
    assert extract("The answer is B.", {"a": "dog", "b": "cat"}).letter == "b"


def test_identical_options_give_the_first_of_them() -> None:
    assert extract("The animal is a dog.", {"A": "cat", "B": "dog", "C": "dog"}).letter == "B"


def test_options_that_differ_only_in_signs_are_not_mixed_up() -> None:
    options = {"A": "x+1", "B": "x-1", "C": "x=1"}
    assert extract("x-1", options).letter == "B"
    assert extract("x = 1", options).letter == "C"


@pytest.mark.parametrize("letters", [[], "", ["A", "A"], ["AB"], ["1", "2"]])
def test_impossible_letters_are_an_error_of_the_caller(letters: list[str]) -> None:
    with pytest.raises(ValueError, match="letters"):
        extract("A", {}, letters)


def test_every_pattern_of_phrases_compiles() -> None:
    found = [
        each
        for module in pkgutil.iter_modules(phrases.__path__, phrases.__name__ + ".")
        for each in vars(importlib.import_module(module.name)).values()
        if isinstance(each, Pattern)
    ]
    assert len(found) > 30
    assert all(isinstance(each.compiled, re.Pattern) for each in found)
