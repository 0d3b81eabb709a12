"""The page on combining, choosing and watching: its commands are run in their order, in one folder."""

from __future__ import annotations

from pathlib import Path

import documented
import pytest
import yaml
from calling import call
from checkpoints import tiny_checkpoint

from egocross_eval import Question, UsageError
from egocross_eval.cli.verbs.tune import EXAMPLE
from egocross_eval.contracts.registry import registry
from egocross_eval.runs.options import options_from
from egocross_eval.runs.plan import RunPlan, plan_run
from egocross_eval.sweeps.planned import Plans
from egocross_eval.tuning.check import checked
from egocross_eval.tuning.file import read_tuning

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


def test_the_example_of_help_can_be_asked_on_the_support_set_and_says_what_has_no_shots(
    tmp_path: Path, shared_data: Path
) -> None:
    content = yaml.safe_load(EXAMPLE.replace("\b", ""))
    content["options"] = {"data": str(shared_data), "frames": "none"}
    file = tmp_path / "tune.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    plans = Plans()
    tuning = checked(read_tuning(file, None, registry()), plans)
    plan = plans(tuning.sweep.runs[tuning.labels.index("shots")].options)
    without = [q for q in plan.questions if not shown(plan, q)]
    assert len(without) == 14
    (note,) = (note for note in plan.warnings if "no example from another source video" in note)
    assert note.endswith("these are asked without")
    with pytest.raises(UsageError, match="has no example from another source video"):
        plan_run(options_from(data=shared_data, split="support", frames="none", shots="2"), registry())


def shown(plan: RunPlan, question: Question) -> int:
    shots = plan.approach(question).renderer.shots
    return len(shots.of(question)) if shots is not None else 0


@pytest.mark.slow
def test_the_example_of_help_runs(tmp_path: Path, demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its checkpoint, with words that a tiny tokenizer has, can be asked in all of its ways; a baseline is, which needs
    no hours on a CPU."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkpoint").symlink_to(tiny_checkpoint(weight_spread=0.2))
    text = EXAMPLE.replace("\b", "").replace("/data/egocross", str(demo))
    (tmp_path / "tune.yaml").write_text(text.replace("method: verify", "method: 'verify:say=Y/N'"))
    assert call("tune", "tune.yaml", "--dry-run") == 0
    (tmp_path / "tune.yaml").write_text(text.replace("hf:./checkpoint", "baseline:longest"))
    assert call("tune", "tune.yaml") == 0
    assert (tmp_path / "tune" / "chosen.yaml").exists()
