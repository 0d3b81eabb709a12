"""Predictions files from anywhere, joined by name and scored."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scored_samples import question

from egocross_eval.errors import UsageError
from egocross_eval.grading.letter import LetterGrader
from egocross_eval.schema import Question, Results
from egocross_eval.scoring import predictions_file
from egocross_eval.scoring.predictions_file import PredictionEntry, PredictionReport, read_answer, read_predictions
from egocross_eval.tasks.egocross.tasks import EGOCROSS

QUESTIONS = [question(1, target="A"), question(2, target="B"), question(3, target="C")]
NAMES = [q.key for q in QUESTIONS]


def written(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "predictions.json"
    path.write_text(json.dumps(content))
    return path


def score_predictions(
    questions: list[Question], predictions: Path | list[PredictionEntry]
) -> tuple[Results, PredictionReport]:
    return predictions_file.score_predictions(questions, predictions, EGOCROSS.record(), LetterGrader())


def right(tmp_path: Path, content: Any, questions: list[Question] | None = None) -> int:
    return score_predictions(questions or QUESTIONS, written(tmp_path, content))[0].counts["right"]


@pytest.mark.parametrize(
    "content",
    [
        [{"id": 1, "question_id": NAMES[0], "dataset": "EgoPet", "answer": "A"}, {"id": 2, "answer": "b"}],
        [{"question_id": NAMES[1], "answer": "green"}, {"question_id": NAMES[0], "answer": "A", "more": [1]}],
        {NAMES[0]: "A", NAMES[1]: "B"},
        {"1": "A", "2": "Green"},
        {NAMES[0]: {"answer": "A", "reason": "it is"}, "2": {"answer": "B"}},
    ],
    ids=["list", "list by question_id", "dict by question_id", "dict by id", "dict of objects"],
)
def test_lists_and_dicts_are_read(tmp_path: Path, content: Any) -> None:
    results, report = score_predictions(QUESTIONS, written(tmp_path, content))
    assert results.counts["right"] == 2
    assert report.missing == (NAMES[2],)
    assert report.matched == 2


def test_a_submission_archive_is_read(tmp_path: Path) -> None:
    path = tmp_path / "submission.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("predictions.json", json.dumps({NAMES[0]: "A"}))
    assert score_predictions(QUESTIONS, path)[0].counts["right"] == 1


def test_entries_are_joined_by_name_and_never_by_position(tmp_path: Path) -> None:
    content = [{"question_id": name, "answer": letter} for name, letter in zip(NAMES, "ABC", strict=True)]
    assert right(tmp_path, content[::-1]) == 3
    assert right(tmp_path, content[1:]) == 2


def test_question_id_goes_before_id_and_the_contradiction_is_reported(tmp_path: Path) -> None:
    content = [{"id": 2, "question_id": NAMES[0], "answer": "A"}]
    results, report = score_predictions(QUESTIONS, written(tmp_path, content))
    assert results.counts["right"] == 1
    assert report.mismatched == (NAMES[0],)


def test_missing_questions_count_neither_right_nor_wrong_and_leave_the_results_incomplete(tmp_path: Path) -> None:
    results, report = score_predictions(QUESTIONS, written(tmp_path, {NAMES[0]: "A"}))
    assert not results.complete
    assert results.counts["missing"] == 2
    assert results.micro is not None
    assert (results.micro.right, results.micro.n, results.micro.missing) == (1, 3, 2)
    assert results.micro.high == 1.0
    assert report.missing == tuple(NAMES[1:])


def test_unknown_questions_are_reported_and_left_out(tmp_path: Path) -> None:
    results, report = score_predictions(QUESTIONS, written(tmp_path, {"nobody": "A", "99": "B", NAMES[0]: "A"}))
    assert report.unknown == ("nobody", "99")
    assert results.counts["total"] == 3


def test_repeated_equal_predictions_count_once(tmp_path: Path) -> None:
    content = [{"id": 1, "answer": "A"}, {"question_id": NAMES[0], "answer": "red"}]
    results, report = score_predictions(QUESTIONS, written(tmp_path, content))
    assert results.counts["right"] == 1
    assert report.duplicate == (NAMES[0],)


def test_contradicting_predictions_are_refused_by_name(tmp_path: Path) -> None:
    content = [{"id": 1, "answer": "A"}, {"id": 1, "answer": "B"}]
    with pytest.raises(UsageError, match=NAMES[0]):
        score_predictions(QUESTIONS, written(tmp_path, content))


def test_two_predictions_under_one_key_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text('{"1": "A", "2": "B", "1": "C"}')
    with pytest.raises(UsageError, match="'1' is there twice"):
        read_predictions(path)


@pytest.mark.parametrize("answer", ["", None, "E", "reddish", "AB", "A or B", "I can't tell"])
def test_an_answer_that_is_neither_letter_nor_option_is_not_parsed(tmp_path: Path, answer: str | None) -> None:
    results, report = score_predictions(QUESTIONS[:1], written(tmp_path, {NAMES[0]: answer}))
    assert results.counts["not_parsed"] == 1
    assert results.complete
    assert report.unreadable == (NAMES[0],)


@pytest.mark.parametrize(
    ("answer", "letter"),
    [("B", "B"), (" b ", "B"), ("green", "B"), ("GREEN ", "B"), ("B: green", "B"), ("A: green", None), ("gree", None)],
)
def test_a_letter_or_the_text_of_an_option_is_accepted(answer: str, letter: str | None) -> None:
    assert read_answer(answer, question(1)) == letter


def test_an_option_that_is_part_of_another_is_not_mistaken_for_it() -> None:
    asked = question(1, options={"A": "10", "B": "1", "C": "decontact the board", "D": "board"})
    assert [read_answer(text, asked) for text in ("1", "10", "board", "decontact the board", "the board")] == [
        "B",
        "A",
        "D",
        "C",
        None,
    ]


def test_a_letter_goes_before_an_option_of_that_text() -> None:
    asked = question(1, options={"A": "B", "B": "A", "C": "x", "D": "y"})
    assert read_answer("A", asked) == "A"


def test_either_of_two_identical_options_is_right(tmp_path: Path) -> None:
    asked = question(1, options={"A": "red", "B": "green", "C": "blue", "D": "red"}, target="D")
    assert right(tmp_path, {"1": "A"}, [asked]) == right(tmp_path, {"1": "D"}, [asked]) == 1
    assert right(tmp_path, {"1": "red"}, [asked]) == 1


def test_numbers_as_answers_are_taken_as_text(tmp_path: Path) -> None:
    asked = question(1, options={"A": "1", "B": "10", "C": "2", "D": "3"}, target="B")
    assert right(tmp_path, {"1": 10}, [asked]) == 1


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("text", "expected a list"),
        ([{"answer": "A"}], "entry 1 has neither"),
        ([{"id": 1, "answer": "A"}, {"id": 2}], "entry 2 .* no 'answer'"),
        ([{"id": 1.5, "answer": "A"}], "whole number"),
        ([{"question_id": 7, "answer": "A"}], "question_id must be text"),
        ([["1", "A"]], "entry 1 is no object"),
        ({"1": ["A"]}, "'1'.*list"),
        ({"1": {"letter": "A"}}, "'1' has no 'answer'"),
        ({"1": True}, "bool"),
    ],
)
def test_a_malformed_file_is_refused_by_place(tmp_path: Path, content: Any, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        read_predictions(written(tmp_path, content))


def test_files_that_are_no_predictions_are_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{'1': 'A'}")
    with pytest.raises(UsageError, match="no valid JSON"):
        read_predictions(broken)
    archive = tmp_path / "empty.zip"
    with zipfile.ZipFile(archive, "w"):
        pass
    with pytest.raises(UsageError, match=r"no predictions\.json"):
        read_predictions(archive)
    with pytest.raises(UsageError, match="can't read"):
        read_predictions(tmp_path / "nowhere.json")


def test_the_report_says_what_did_not_fit(tmp_path: Path) -> None:
    content = {NAMES[0]: "A", NAMES[1]: "", "nobody": "C"}
    _, report = score_predictions(QUESTIONS, written(tmp_path, content))
    assert report.lines() == [
        f"questions without a prediction: 1 ({NAMES[2]})",
        "predictions for no known question, left out: 1 (nobody)",
        f"answers that are neither a letter nor an option: 1 ({NAMES[1]})",
    ]


def test_the_text_of_an_option_is_taken_for_its_letter_and_that_is_said(tmp_path: Path) -> None:
    content = {NAMES[0]: "a", NAMES[1]: QUESTIONS[1].options["B"].upper(), NAMES[2]: f"A: {QUESTIONS[2].options['A']}"}
    _, report = score_predictions(QUESTIONS, written(tmp_path, content))
    assert report.lines() == [
        f"answers that are the text of an option, taken for its letter: 2 ({NAMES[1]}, {NAMES[2]})"
    ]


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(3)), st.lists(st.sampled_from(["A", "B", "C", "D", "red", "blue", "", "no"]), min_size=3))
def test_the_form_and_the_order_of_the_entries_do_not_matter(order: list[int], answers: list[str]) -> None:
    named = [PredictionEntry(question_id=NAMES[i], answer=answers[i]) for i in range(3)]
    numbered = [PredictionEntry(id=i + 1, answer=answers[i]) for i in order]
    assert score_predictions(QUESTIONS, named)[0] == score_predictions(QUESTIONS, numbered)[0]
