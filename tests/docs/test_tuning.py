"""The page on combining, choosing and watching: its commands are run in their order, in one folder."""

from __future__ import annotations

from pathlib import Path

import documented
import pytest
from calling import call

from egocross_eval import UsageError
from egocross_eval.contracts.registry import registry
from egocross_eval.runs.options import options_from
from egocross_eval.runs.plan import plan_run

PAGE = "docs/tuning.md"


def test_the_commands_of_the_page_run_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (file,) = (block for block in documented.indented(PAGE) if block.startswith("models:"))
    (tmp_path / "tune.yaml").write_text(file)
    for name in ("other/longest", "other/chance"):  # runs of the support set, which isn't here
        (tmp_path / name).mkdir(parents=True)
    commands = list(documented.commands(PAGE))
    assert len(commands) >= 5
    for arguments in commands:
        documented.parse(arguments)
        if "--chosen-on" not in arguments and arguments[0] != "watch":
            assert call(*arguments) == 0
    assert (tmp_path / "tune" / "chosen.yaml").exists()


def test_every_option_that_is_named_is_one() -> None:
    assert documented.options(PAGE) - documented.known_options() == set()


def test_the_strategy_for_shots_fits_the_support_set(tmp_path: Path, shared_data: Path) -> None:
    (content,) = documented.fenced(PAGE, "yaml")
    file = tmp_path / "shots.yaml"
    file.write_text(content)
    options = options_from(data=shared_data, split="support", frames="none")
    with pytest.raises(UsageError, match="has no example from another source video"):
        plan_run(options_from(options, shots="2"), registry())
    plan = plan_run(options_from(options, strategy=str(file)), registry())
    without = [q for q in plan.questions if plan.approaches.of(q).renderer.shots is None]
    assert len(without) == 14
