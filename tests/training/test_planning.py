"""A training before it's started, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
import yaml
from click.testing import CliRunner
from training_files import example, four_videos, write_base, write_support

from egocross_eval.cli.verbs.train import command
from egocross_eval.contracts.registry import registry
from egocross_eval.errors import UsageError
from egocross_eval.training.options import TrainOptions
from egocross_eval.training.output_files import identity, write_files
from egocross_eval.training.planning import plan_training


@pytest.fixture
def options(tmp_path: Path) -> TrainOptions:
    root = write_support(tmp_path / "data", four_videos())
    base = write_base(tmp_path / "base")
    return TrainOptions(model=str(base), data=root, output=tmp_path / "out", recipe="lora")


def dry_run(options: TrainOptions, *words: str) -> str:
    common = ["--model", options.model, "--data", str(options.data), "--output", str(options.output), "--dry-run"]
    result = CliRunner().invoke(command, [*common, *words], standalone_mode=False)
    assert result.exception is None, result.exception
    return result.output


def test_a_dry_run_shows_configuration_steps_memory_and_time_and_writes_nothing(options: TrainOptions) -> None:
    text = dry_run(options, "--recipe", "full")
    assert "2 optimizer steps in 2" in text  # 20 examples, 4 workers, 8 accumulated
    assert "32 examples a step" in text
    assert "GiB a GPU" in text
    assert "template: qwen3_vl_nothink" in text
    assert "deepspeed:" in text
    assert not options.output.exists()


def test_the_real_support_set_makes_six_and_twenty_steps(tmp_path: Path, shared_data: Path) -> None:
    folder = tmp_path / "data" / "egocross_support_set"
    folder.mkdir(parents=True)
    examples = json.loads((shared_data / "support_set" / "train.json").read_text(encoding="utf-8"))
    write_support(tmp_path / "data", examples)
    base = write_base(tmp_path / "base")
    options = TrainOptions(model=str(base), data=tmp_path / "data", output=tmp_path / "out")
    full = dry_run(options, "--recipe", "published-full", "--gpus", "4")
    assert "6 optimizer steps in 2" in full
    assert "animal 20, industry 20, xsports 20, surgery 20" in full
    assert "20 optimizer steps in 2" in dry_run(options, "--recipe", "published-lora")


def test_the_files_of_a_training_are_complete(options: TrainOptions) -> None:
    plan = plan_training(options, registry())
    options.output.mkdir()
    written = write_files(plan)
    config = yaml.safe_load(written.config.read_text(encoding="utf-8"))
    assert config["model_name_or_path"] == str(Path(options.model).resolve())
    info = json.loads((Path(config["dataset_dir"]) / "dataset_info.json").read_text(encoding="utf-8"))
    assert config["dataset"] in info
    items = json.loads((Path(config["dataset_dir"]) / info[config["dataset"]]["file_name"]).read_text(encoding="utf-8"))
    assert len(items) == 20
    assert all(Path(path).is_file() for item in items for path in item["images"])


def test_a_pixel_budget_is_that_of_training_and_evaluation(options: TrainOptions) -> None:
    plan = plan_training(msgspec.structs.replace(options, max_pixels=100_000), registry())
    assert plan.config["image_max_pixels"] == plan.evaluation.max_pixels == plan.renderer.max_pixels == 100_000
    assert "--max-pixels 100000" in " ".join(plan.evaluation.options())


def test_the_recipes_cap_is_the_budget_of_evaluation(options: TrainOptions) -> None:
    assert plan_training(options, registry()).evaluation.max_pixels == 360_000


def test_two_different_budgets_are_refused(options: TrainOptions) -> None:
    both = msgspec.structs.replace(options, max_pixels=100_000, changes=("image_max_pixels=200000",))
    with pytest.raises(UsageError, match="contradict"):
        plan_training(both, registry())


def test_another_recipe_or_prompt_is_another_training(options: TrainOptions) -> None:
    def named(**changes: object) -> str:
        return identity(plan_training(msgspec.structs.replace(options, **changes), registry()))

    same = named()
    assert named() == same
    assert named(changes=("save_steps=3",)) == same
    others = {
        named(recipe="full"),
        named(frames="uniform:1"),
        named(changes=("learning_rate=1e-3",)),
        named(domains=()),
    }
    assert len(others - {same}) == 3


def test_tasks_choose_examples_as_they_choose_questions(options: TrainOptions) -> None:
    with pytest.raises(UsageError, match="unknown task"):
        plan_training(msgspec.structs.replace(options, tasks=("animal-identifications",)), registry())
    plan = plan_training(msgspec.structs.replace(options, tasks=("animal-identification",)), registry())
    assert len(plan.examples.train) == 20


def test_missing_frames_stop_a_training_before_anything_is_written(tmp_path: Path) -> None:
    root = write_support(tmp_path / "data", [example()], frames=False)
    options = TrainOptions(model=str(write_base(tmp_path / "base")), data=root, output=tmp_path / "out")
    plan = plan_training(options, registry())
    assert [finding.check for finding in plan.errors] == ["frames"]
    assert not (tmp_path / "out").exists()
