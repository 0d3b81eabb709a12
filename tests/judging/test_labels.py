"""A person labels a drawn share of a run's answers, blind to the judges, and their figures are corrected by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from judges import Judge, reply

from egocross_eval import ModelAdapter, Request, Response, Run, evaluate, judge
from egocross_eval.cli.main import cli
from egocross_eval.runs.labels import read_labels

pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning")


class Numbered(ModelAdapter):
    """Says something of its own to each question, and nothing to the first."""

    def fingerprint(self) -> str:
        return "numbered"

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for number, request in enumerate(requests):
            yield Response(key=request.key, text=f"answer \x1b[2J{number}" if number else "")


@pytest.fixture
def run(demo: Path, tmp_path: Path) -> Run:
    return evaluate(Numbered(), "open", data=demo, frames="none", output=tmp_path / "run", limit=60)


def credulous(request: Request) -> Response:
    return Response(key=request.key, text=reply(5, "a secret reason"))


def label(run: Run, keys: str, *more: str) -> Result:
    typed = "".join(f"{key}\n" for key in keys)
    return CliRunner().invoke(cli, ["judge", "label", str(run.path), *more], input=typed, standalone_mode=False)


def test_labels_correct_a_judge_that_takes_everything_for_right(run: Run) -> None:
    (judging,) = judge(run, Judge(credulous))
    assert judging.results.micro is not None
    assert judging.results.micro.accuracy > 0.95
    done = label(run, "yn" * 20, "--draw", "40")
    assert done.exception is None
    found = judging.results.judge
    assert found is not None
    assert found.corrected is not None
    assert found.corrected.labels == 40
    assert found.corrected.trust == 0
    value, low, high = found.corrected.micro
    assert value == pytest.approx(0.5 * 59 / 60)
    assert low < value < high
    assert "corrected by 40 labels (PPI++)" in " ".join(done.output.split())


def test_who_labels_sees_no_judge(run: Run) -> None:
    judge(run, [Judge(credulous), "rules"])
    done = label(run, "q", "--draw", "20")
    shown = done.output.partition("judged by")[0]
    assert "Right answer: " in shown
    assert "The model said: answer" in shown
    assert "secret" not in shown
    assert "mark" not in shown
    assert "\x1b" not in shown


def test_labelling_goes_on_goes_back_and_skips(run: Run) -> None:
    label(run, "ybnsyq", "--draw", "30", "--by", "me")
    labels = list(read_labels(run.path).values())
    assert [one.right for one in labels] == [False, None, True]
    assert {one.by for one in labels} == {"me"}
    first = label(run, "q", "--draw", "30").output
    assert "2 of 30 are labelled" in first
    assert len((run.path / "labels.jsonl").read_text().splitlines()) == 4


def test_a_label_is_of_the_words_that_were_said(run: Run) -> None:
    judge(run, "rules")
    label(run, "y" * 30, "--draw", "30")
    lines = [json.loads(line) for line in (run.path / "labels.jsonl").read_text().splitlines()]
    (run.path / "labels.jsonl").write_text(
        "".join(json.dumps(line | {"prediction": "something else"}) + "\n" for line in lines)
    )
    done = label(run, "q", "--draw", "30")
    assert "0 of 30 are labelled" in done.output
    assert run.judgings[0].results.judge is not None
    assert run.judgings[0].results.judge.corrected is None


def test_what_cannot_be_labelled_is_refused(demo: Path, tmp_path: Path, run: Run) -> None:
    closed = evaluate("baseline:chance", "animal", data=demo, frames="none", output=tmp_path / "closed")
    assert "--tasks open" in str(label(closed, "q").exception)
    (judging,) = judge(run, "rules")
    assert "label its run" in str(label(judging, "q").exception)
    (run.path / "labels.jsonl").write_text('{"key": 3}\n')
    assert "labels.jsonl, line 1" in str(label(run, "q").exception)
