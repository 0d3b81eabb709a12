"""Reading the answers file."""

from __future__ import annotations

import json
import re
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


def test_the_least_that_the_schema_asks_for_is_read(tmp_path: Path) -> None:
    schema = json.loads((Path(__file__).parents[3] / "docs/reference/schemas/answers.schema.json").read_text())
    (kind,) = schema["$defs"].values()
    values = {"id": 3, "question_id": "a_b_q1_c", "correct_option_letter": "D", "answer_text": "x"}
    least = {name: values[name] for name in kind["required"]}
    assert read_answers(write(tmp_path, least)).keys() == {"a_b_q1_c"}
    for name in least:
        with pytest.raises(DataError, match=name):
            read_answers(write(tmp_path, {other: value for other, value in least.items() if other != name}))
    assert kind["properties"]["correct_option_letter"]["enum"] == ["A", "B", "C", "D"]


def test_the_page_shows_a_file_that_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "data.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert len(read_answers(write(tmp_path, *json.loads(block)))) == 1


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.json"):
        read_answers(tmp_path / "none.json")
