"""Reading the answers file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from egocross_eval.errors import DataError
from egocross_eval.tasks.egocross.answers_file import read_answer_list, read_answers


def write(root: Path, *records: dict[str, Any]) -> Path:
    path = root / "answers.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    return path


def test_records_are_found_by_question_id(tmp_path: Path) -> None:
    path = write(tmp_path, {"id": 3, "question_id": "a_b_q1_c", "correct_option_letter": "D", "answer_text": "x"})
    record = read_answers(path)["a_b_q1_c"]
    assert (record.id, record.correct_option_letter, record.answer_text) == (3, "D", "x")
    assert record.detailed_answer is None


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([{"id": 3, "question_id": "x", "correct_option_letter": "E"}], r"id 3.*'E'"),
        ([{"id": 3, "question_id": "x"}], "correct_option_letter"),
        ([{"id": 3, "correct_option_letter": "A"}], "id 3 has no question_id"),
        ([{"id": 3, "question_id": "x", "correct_option_letter": "A"}] * 2, "id 3 occurs twice"),
        (
            [{"id": n, "question_id": "x", "correct_option_letter": "A"} for n in (1, 2)],
            "question_id 'x' occurs twice",
        ),
        ([{"id": 3, "question_id": "x", "correct_option_letter": 1}], "id 3"),
    ],
)
def test_what_is_wrong_is_said_with_the_file_and_the_id(
    tmp_path: Path, records: list[dict[str, Any]], words: str
) -> None:
    with pytest.raises(DataError, match=words) as error:
        read_answers(write(tmp_path, *records))
    assert "answers.json" in str(error.value)


def test_a_record_may_go_without_question_id_where_ids_suffice(tmp_path: Path) -> None:
    (record,) = read_answer_list(write(tmp_path, {"id": 3, "correct_option_letter": "A"}))
    assert record.question_id is None


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.json"):
        read_answers(tmp_path / "none.json")
