"""Judges are compared with each other and with people, and the open format with the closed one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from calling import call
from click.testing import CliRunner
from judges import Judge, material, prompt_of, reply

from egocross_eval import ModelAdapter, Request, Response, Run, evaluate, judge
from egocross_eval.cli.main import cli

pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning")


class Half(ModelAdapter):
    """Right among options on every even question, and without on every fourth."""

    def __init__(self, answers: dict[str, str]) -> None:
        self._answers = answers

    def fingerprint(self) -> str:
        return "half"

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for number, request in enumerate(requests):
            right = self._answers[request.key]
            if request.options:
                text = right if number % 2 == 0 else "no idea"
            else:
                text = right if number % 4 == 0 else f"zeppelin {number}"
            yield Response(key=request.key, text=text)


@pytest.fixture
def runs(demo: Path, tmp_path: Path) -> tuple[Run, Run]:
    from egocross_eval import DataSource
    from egocross_eval.contracts.registry import registry
    from egocross_eval.tasks.select import load_questions, select_tasks

    targets = [
        {q.key: str(q.target) for q in load_questions(select_tasks(name, registry()), DataSource(root=demo)).questions}
        for name in ("all", "open")
    ]
    made = [
        evaluate(Half(known), task, data=demo, frames="none", output=tmp_path / task)
        for known, task in zip(targets, ("all", "open"), strict=True)
    ]
    return made[0], made[1]


def test_the_formats_stand_side_by_side(
    runs: tuple[Run, Run], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    closed, opened = runs
    judge(opened, "rules")
    assert call("judge", "formats", opened.path, closed.path) == 0
    printed = capsys.readouterr().out
    row = next(line for line in printed.splitlines() if line.startswith("all questions")).split()
    assert row[2:5] == ["100", "50.0%", "25.0%"]
    assert row[-4:] == ["25", "25", "0", "50"]
    assert "Needs its options" in printed
    assert "50.0% of what is right among options is wrong without them" in printed


def test_formats_that_cannot_be_compared_are_refused(runs: tuple[Run, Run], capsys: pytest.CaptureFixture[str]) -> None:
    closed, opened = runs
    assert call("judge", "formats", opened.path, closed.path) == 2
    assert "needs one judging" in capsys.readouterr().err
    judge(opened, "rules")
    assert call("judge", "formats", opened.path, opened.path) == 2
    assert "name a run of the closed tasks second" in capsys.readouterr().err


def test_judges_and_people_are_compared_and_what_they_part_on_is_shown(
    runs: tuple[Run, Run], capsys: pytest.CaptureFixture[str]
) -> None:
    _, opened = runs

    def kind(request: Request) -> Response:
        seen = material(prompt_of(request))
        wrong_but_taken = seen.prediction.endswith(("1", "2"))
        return Response(key=request.key, text=reply(5 if wrong_but_taken else 0))

    judge(opened, ["rules", Judge(kind)])
    assert call("judge", "agree", opened.path, "--most", "3") == 0
    printed = capsys.readouterr().out
    assert "Cohen's kappa" in printed
    assert "Krippendorff's alpha of verdicts" in printed
    assert printed.count("right (5) / wrong (0)") + printed.count("wrong (0) / right (5)") == 3
    assert "more (judge agree RUN --most N)" in printed
    typed = "n\n" * 25
    labelled = CliRunner().invoke(cli, ["judge", "label", str(opened.path), "--draw", "25"], input=typed)
    assert labelled.exception is None or isinstance(labelled.exception, SystemExit)
    assert call("judge", "agree", opened.path) == 0
    assert "labels by people" in capsys.readouterr().out


def test_one_judge_agrees_with_nobody(runs: tuple[Run, Run], capsys: pytest.CaptureFixture[str]) -> None:
    _, opened = runs
    judge(opened, "rules")
    assert call("judge", "agree", opened.path) == 2
    assert "two judges are needed" in capsys.readouterr().err
