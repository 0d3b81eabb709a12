"""Runs over questions whose frames have no known time: ENIGMA's in the support set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from egocross_eval import RunKeywords, UsageError, evaluate
from egocross_eval.cli.main import cli
from egocross_eval.contracts.registry import registry
from egocross_eval.leaderboard.collect import rows_from
from egocross_eval.prompts.renderer import prompt_text
from egocross_eval.runs.options import options_from
from egocross_eval.runs.plan import RunPlan, plan_run
from egocross_eval.schema import Decision


def planned(demo: Path, split: str = "support", **keywords: object) -> RunPlan:
    given: RunKeywords = {"data": demo, "split": split, **keywords}  # type: ignore[typeddict-item]
    return plan_run(options_from(**given), registry())


def with_marks(plan: RunPlan) -> dict[str, bool]:
    """By question: whether times stand in what is sent of it."""
    return {
        question.key: " seconds>" in str(prompt_text(plan.approach(question).renderer.render(question, plan.root)))
        for question in plan.questions
    }


def test_times_are_left_off_just_where_they_are_unknown_and_that_is_said_once(demo: Path) -> None:
    plan = planned(demo, timestamps=True)
    enigma = {question.key for question in plan.questions if question.label("dataset") == "ENIGMA"}
    assert len(enigma) == 20
    assert {key for key, marked in with_marks(plan).items() if not marked} == enigma
    (said,) = [warning for warning in plan.warnings if "--timestamps" in warning]
    assert "20 of 80 questions (ENIGMA 20)" in said


def test_the_run_and_its_row_say_which_were_shown_without(demo: Path, tmp_path: Path) -> None:
    with pytest.warns(match="20 of 80 questions"):
        run = evaluate("baseline:longest", data=demo, split="support", timestamps=True, output=tmp_path / "run")
    assert run.record.untimed == {"ENIGMA": 20}
    (row,) = rows_from([tmp_path / "run"])
    assert (row.settings["timestamps"], row.settings["times unknown"]) == ("yes", "ENIGMA 20")


@pytest.mark.parametrize(
    "settings", [{}, {"timestamps": True, "tasks": "animal"}, {"timestamps": True, "frames": "none"}]
)
def test_nothing_is_said_where_no_time_is_missing(settings: dict[str, Any], demo: Path) -> None:
    plan = planned(demo, **settings)
    assert plan.untimed == {}
    assert not [warning for warning in plan.warnings if "--timestamps" in warning]


def test_a_strategy_that_shows_times_leaves_them_off_too(demo: Path) -> None:
    plan = planned(demo, strategy="timestamps")
    assert plan.untimed == {"ENIGMA": 20}
    assert sum(with_marks(plan).values()) == 60


def test_examples_of_unknown_time_are_shown_without_and_said(demo: Path) -> None:
    plan = planned(demo, "demo", timestamps=True, shots="1", tasks="industry")
    assert all(with_marks(plan).values())  # the questions' own
    assert list(plan.untimed) == ["examples of ENIGMA"]
    assert [warning for warning in plan.warnings if "examples (ENIGMA" in warning and "--timestamps" in warning]


def test_a_video_is_refused_with_all_that_have_no_times(demo: Path) -> None:
    with pytest.raises(UsageError, match=r"20 of 80 questions \(ENIGMA 20\) are not known.*--media images"):
        planned(demo, media="video")
    with pytest.raises(UsageError, match=r"examples \(ENIGMA .* are not known.*--media images"):
        planned(demo, "demo", media="video", shots="1", tasks="industry")


def test_locate_asks_questions_without_times_for_the_letter_and_says_which(demo: Path) -> None:
    plan = planned(demo, method="locate", tasks="action-temporal-localization")
    (said,) = [warning for warning in plan.warnings if "--method locate" in warning]
    asked = {question.key: plan.step(question.without_target(), ()) for question in plan.questions}
    letters = {key for key, step in asked.items() if not isinstance(step, Decision) and not step[0].name}
    unknown = {question.key for question in plan.questions if question.label("dataset") == "ENIGMA"}
    assert letters == unknown
    assert 0 < len(unknown) < len(plan.questions)
    assert f"{len(unknown)} of {len(plan.questions)} questions (ENIGMA {len(unknown)}) are not known" in said


def test_a_shard_records_what_the_whole_run_does(demo: Path) -> None:
    assert planned(demo, timestamps=True, shard="2/3").untimed == {"ENIGMA": 20}


def test_data_verify_says_it_before_any_run(demo: Path) -> None:
    said = CliRunner().invoke(cli, ["data", "verify", "--data", str(demo), "--split", "support"]).output
    assert "20 questions with frames of unknown time" in " ".join(said.split())
