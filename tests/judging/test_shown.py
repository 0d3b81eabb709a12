"""What judges made of answers is shown, scored and compared wherever runs are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from calling import call
from judges import Judge, material, prompt_of, reply

from egocross_eval import ModelAdapter, Request, Response, Run, UsageError, evaluate, export_run, judge

pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning")


class Model(ModelAdapter):
    """Says something of its own to each question."""

    def __init__(self, name: str) -> None:
        self.name = name

    def fingerprint(self) -> str:
        return self.name

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for number, request in enumerate(requests):
            yield Response(key=request.key, text=f"{self.name} says {number}")


def marks(request: Request) -> Response:
    """0 to 5 by the answer's number, with a reason."""
    number = int(material(prompt_of(request)).prediction.split()[-1])
    return Response(key=request.key, text=reply(number % 6, f"because of {number}"))


@pytest.fixture
def run(demo: Path, tmp_path: Path) -> Run:
    made = evaluate(Model("one"), "open", data=demo, frames="none", output=tmp_path / "one", limit=30)
    judge(made, Judge(marks, "marks"))
    return made


def test_the_papers_numbers_come_out_of_marks(
    run: Run, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (judging,) = run.judgings
    entries = json.loads((judging.path / "predictions.json").read_text())
    everything = [entry["mark"] for entry in entries]
    successes = sum(mark >= 4 for mark in everything)
    assert judging.results.judge is not None
    assert judging.results.judge.mean_mark == pytest.approx(sum(everything) / len(everything))
    assert judging.results.counts["right"] == successes == 10
    ids = [entry["question_id"] for entry in entries]
    path = tmp_path / "marks.json"
    path.write_text(
        json.dumps([{"question_id": e["question_id"], "prediction": "x", "mark": e["mark"]} for e in entries])
    )
    arguments = ("score", path, "--tasks", "open", "--data", demo, "--format", "json")
    assert call(*arguments) == 1  # 70 of the demo's questions have no prediction
    found = json.loads(capsys.readouterr().out)
    assert found["counts"]["right"] == successes
    assert found["counts"]["missing"] == 100 - len(ids)
    assert found["micro"]["accuracy"] == successes / 100
    assert found["judge"]["mean_mark"] == pytest.approx(sum(everything) / len(everything))
    assert call(*arguments, "--judge-threshold", "1") == 1
    assert json.loads(capsys.readouterr().out)["counts"]["right"] == sum(mark >= 1 for mark in everything)


@pytest.mark.parametrize("mark", ["5", 6, -1, True])
def test_a_mark_that_is_none_is_named(
    mark: object, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "marks.json"
    path.write_text(json.dumps([{"id": 3, "answer": "x", "mark": mark}]))
    assert call("score", path, "--tasks", "open", "--data", demo) == 2
    assert "entry 1 (3): mark is" in capsys.readouterr().err


def test_the_terminal_shows_mark_and_reason(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (judging,) = run.judgings
    assert call("view", judging.path, "--right", "--most", "1") == 0
    shown = capsys.readouterr().out
    assert "target: " in shown
    assert "one says" in shown
    assert "right · mark" in shown
    assert "because of" in shown


def test_the_site_has_prediction_reference_mark_and_reason(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    assert call("site", run.path, "--output", tmp_path / "site", "--no-published") == 0
    text = (tmp_path / "site" / "data" / "answers-0.js").read_text()
    found = json.loads(text[text.index("[") : text.rindex("]") + 1])
    answers = [(detail["references"], answer) for detail in found for answer in detail["answers"] if answer]
    assert len(answers) == 30
    for references, answer in answers:
        number = int(answer["said"].split()[-1])
        assert answer["mark"] == number % 6
        assert answer["reason"] == f"because of {number}"
        assert answer["text"] == answer["said"]
        assert [name for name, _ in references] == ["answer text", "detailed answer"]
    assert "judged by python:Judge, mark ≥ 4" in (tmp_path / "site" / "index.html").read_text()


def test_only_judgings_by_the_same_judge_are_compared(
    run: Run, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = evaluate(Model("two"), "open", data=demo, frames="none", output=tmp_path / "two", limit=30)
    judge(other, [Judge(marks, "marks"), "rules"])
    mine = run.judgings[0].path
    same, rules = (other.path / "judges" / name for name in (mine.name, "rules"))
    assert call("compare", mine, same) == 0
    assert "python:Model, judged by" in capsys.readouterr().out
    assert call("compare", mine, rules) == 2
    assert "by the same judge" in " ".join(capsys.readouterr().err.split())


def test_error_rates_from_an_audit_are_named_as_what_they_are(
    run: Run, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audits = tmp_path / "audits"
    audits.mkdir()
    arguments = ("judge", run.path, "--judge", "rules", "--audit", audits)
    assert call(*arguments) == 2
    assert "no finished audit of rules" in capsys.readouterr().err
    assert call("judge", "audit", "--judge", "rules", "--data", demo, "--limit", "20", "--output", audits) == 0
    capsys.readouterr()
    assert call(*arguments) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "if the judge errs here as it did there" in printed
    assert "Rogan and Gladen" in printed


def test_a_judging_is_not_exported_without_its_judge(run: Run) -> None:
    with pytest.raises(UsageError, match="no place for who judged"):
        export_run(run.judgings[0].path, "submission")
