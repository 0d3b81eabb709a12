"""The challenge's submission: complete, validated, never with a made-up letter."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from calling import call
from msgspec.structs import replace
from scored_samples import question, sample

from egocross_eval import load_run
from egocross_eval.errors import UsageError
from egocross_eval.grading.letter import LetterGrader
from egocross_eval.runs.decide import make_sample
from egocross_eval.schema import Decision, Outcome, Sample
from egocross_eval.tasks.egocross.catalogue import CELLS
from egocross_eval.tasks.egocross.submission import (
    check_entries,
    prediction_entries,
    write_predictions,
    write_submission,
)


def whole(outcome: Outcome = "unscored") -> list[Sample]:
    """957 samples with the testbed's numbers by dataset."""
    lines: list[Sample] = []
    for cell in CELLS:
        for _ in range(cell.count):
            number = len(lines) + 1
            lines.append(sample(question(number, dataset=cell.dataset, key=f"q{number}", target=None), outcome))
    return lines


def content(path: Path) -> list[dict[str, object]]:
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["predictions.json"]
        found: list[dict[str, object]] = json.loads(archive.read("predictions.json"))
    return found


def test_a_submission_lists_957_answers_in_id_order(tmp_path: Path) -> None:
    path = tmp_path / "submission.zip"
    report = write_submission(whole()[::-1], path)
    entries = content(path)
    assert [entry["id"] for entry in entries] == list(range(1, 958))
    assert all(list(entry) == ["id", "question_id", "dataset", "answer"] for entry in entries)
    assert {entry["answer"] for entry in entries} == {"C"}
    assert str(report) == "957 of 957 questions answered"


def test_its_form_is_that_of_the_template(tmp_path: Path, shared_data: Path) -> None:
    template = json.loads((shared_data / "submission_template.json").read_text())
    lines = [
        sample(question(e["id"], key=e["question_id"], dataset=e["dataset"], target=None), "unscored") for e in template
    ]
    path = tmp_path / "submission.zip"
    write_submission(lines, path)
    assert [{**entry, "answer": ""} for entry in content(path)] == template


def test_the_same_samples_give_the_same_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one.zip", tmp_path / "other.zip"
    write_submission(whole(), one)
    write_submission(whole(), other)
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("outcome", ["not_parsed", "errored"])
def test_unanswered_questions_are_refused_by_name_and_left_empty_on_request(tmp_path: Path, outcome: Outcome) -> None:
    lines = whole()
    for index in (4, 9):
        lines[index] = sample(lines[index].question, outcome)
    path = tmp_path / "submission.zip"
    with pytest.raises(UsageError, match=r"2 of 957 .*q5, q10"):
        write_submission(lines, path)
    assert not path.exists()
    report = write_submission(lines, path, allow_unanswered=True)
    assert report.empty == ("q5", "q10")
    assert "955 of 957 questions answered, 2 left empty (q5, q10)" in str(report)
    assert [entry["id"] for entry in content(path) if entry["answer"] == ""] == [5, 10]


def test_a_letter_beside_a_failure_is_not_submitted() -> None:
    line = sample(question(1), "errored")
    odd = make_sample(LetterGrader(), line.question, line.answers, Decision(label="A"))
    assert odd.decision.label == "A"
    assert prediction_entries([odd])[0]["answer"] == ""


def test_missing_questions_are_refused_by_id(tmp_path: Path) -> None:
    lines = whole()
    del lines[41]
    with pytest.raises(UsageError, match=r"all 957 questions of the testbed; here are 956, without id 42"):
        write_submission(lines, tmp_path / "submission.zip")


def test_a_repeated_question_is_refused(tmp_path: Path) -> None:
    lines = whole()
    with pytest.raises(UsageError, match="more than once: id 1"):
        write_submission([*lines, lines[0]], tmp_path / "submission.zip")


def test_other_questions_than_the_testbeds_are_refused(tmp_path: Path) -> None:
    lines = [
        replace(line, question=replace(line.question, labels={**line.question.labels, "dataset": "EgoPet"}))
        for line in whole()
    ]
    with pytest.raises(UsageError, match="not the testbed's questions"):
        write_submission(lines, tmp_path / "submission.zip")
    extra = [*whole(), sample(question(958, key="more"), "right")]
    with pytest.raises(UsageError, match="here are 958"):
        write_submission(extra, tmp_path / "submission.zip")


def test_entries_must_be_in_order_with_letters() -> None:
    entries = prediction_entries(whole())
    check_entries(entries)
    with pytest.raises(UsageError, match="id order"):
        check_entries(entries[::-1])
    with pytest.raises(UsageError, match="answers must be one of A, B, C, D: q1"):
        check_entries([{**entries[0], "answer": "c"}, *entries[1:]])
    with pytest.raises(UsageError, match="share one question_id"):
        check_entries([{**entries[0], "question_id": "q2"}, *entries[1:]])


def test_a_submission_can_be_rehearsed_with_the_demo(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert call("--model", "baseline:chance", "--data", demo, "--output", run) == 0
    assert call("submit", run) == 2
    assert "a submission holds all 957 questions of the testbed; here are 100" in capsys.readouterr().err
    assert call("submit", run, "--rehearse") == 0
    assert (
        "a rehearsal: 100 of 100 questions answered; the challenge takes the testbed's 957" in capsys.readouterr().out
    )
    assert not (run / "submission.zip").exists()
    assert [entry["id"] for entry in content(run / "rehearsal.zip")] == list(range(1, 101))
    assert call("score", run / "rehearsal.zip", "--data", demo, "--format", "json") == 0
    scored = json.loads(capsys.readouterr().out)
    assert scored["counts"]["right"] == load_run(run).results.counts["right"]


def test_a_rehearsal_is_as_strict_as_a_submission(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = "--model", "baseline:chance", "--data", demo, "--output"
    assert call(*asked, tmp_path / "part", "--limit", "5") == 0
    assert call("submit", tmp_path / "part", "--rehearse") == 2
    said = capsys.readouterr().err
    assert "a rehearsal takes a run of all questions of a benchmark, id 1 to" in said
    assert "here are 5, without id" in said
    assert "--rehearse" not in said
    assert call(*asked, tmp_path / "ties", "--method", "verify") == 0
    assert call("submit", tmp_path / "ties", "--rehearse") == 2
    said = capsys.readouterr().err
    assert "questions have no letter" in said
    assert "a model that answers the same whatever is asked" in said


def test_predictions_are_written_in_id_order_with_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "predictions.json"
    write_predictions([sample(question(2), "not_parsed"), sample(question(1), "right")], path)
    assert json.loads(path.read_text()) == [
        {"id": 1, "question_id": "EgoPet_v1_q1", "dataset": "EgoPet", "answer": "A"},
        {"id": 2, "question_id": "EgoPet_v2_q2", "dataset": "EgoPet", "answer": ""},
    ]
