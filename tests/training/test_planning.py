"""A training before it's started, from the command line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from calling import call
from click.testing import CliRunner
from training_files import example, four_videos, training_card, write_base, write_support
from trainings import shown

from egocross_eval.cli.show.train_report import TrainedModel, print_result
from egocross_eval.cli.verbs.train import command
from egocross_eval.contracts.registry import registry
from egocross_eval.errors import UsageError
from egocross_eval.nvidia import Gpu
from egocross_eval.training import fitting, missing_modules
from egocross_eval.training.card import as_options
from egocross_eval.training.curriculum import Curriculum
from egocross_eval.training.environment import _PROBE, TrainingEnvironment
from egocross_eval.training.fitting import check_fit
from egocross_eval.training.missing_modules import check_modules
from egocross_eval.training.optional_modules import MODULES
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


def test_a_dry_run_says_that_the_driver_is_too_old_or_cards_are_lacking(
    options: TrainOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA A100, 40960, 0, 535.104.05, GPU-11'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert "warning: here it would not start: driver 535.104.05 is too old" in dry_run(options)
    assert "warning: here it would not start: --gpus 4: there are 1 here" in dry_run(options, "--gpus", "4")
    assert "would not start" not in dry_run(options, "--gpus", "0")


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
    plan = plan_training(shown(options, max_pixels=100_000), registry())
    assert plan.config["image_max_pixels"] == plan.prompt.max_pixels == 100_000
    assert "--max-pixels 100000" in " ".join(as_options(plan.prompt))


def test_the_recipes_cap_is_the_budget_of_evaluation(options: TrainOptions) -> None:
    assert plan_training(options, registry()).prompt.max_pixels == 360_000


def test_two_different_budgets_are_refused(options: TrainOptions) -> None:
    both = shown(options, max_pixels=100_000, changes=("image_max_pixels=200000",))
    with pytest.raises(UsageError, match="contradict"):
        plan_training(both, registry())


def test_another_recipe_or_prompt_is_another_training(options: TrainOptions) -> None:
    def named(**changes: object) -> str:
        return identity(plan_training(shown(options, **changes), registry()))

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


def test_an_unknown_argument_is_refused_before_anything_is_built_or_written(options: TrainOptions) -> None:
    """In a dry run and by `train data`, too."""
    common = ["--model", options.model, "--data", str(options.data), "--output", str(options.output)]
    for words in (["run", *common, "--dry-run"], ["data", *common]):
        result = CliRunner().invoke(command, [*words, "--set", "learnin_rate=1"], standalone_mode=False)
        assert "did you mean 'learning_rate'" in str(result.exception)
    assert not options.output.exists()


def test_the_order_of_passes_reaches_the_trainer(options: TrainOptions) -> None:
    assert "disable_shuffling" not in plan_training(options, registry()).config
    for curriculum in (Curriculum(passes=2), Curriculum(sort_until=0.2, shuffle_from=0.5)):
        config = plan_training(msgspec.structs.replace(options, curriculum=curriculum), registry()).config
        assert config["disable_shuffling"] is True


def test_the_seed_reaches_the_trainer_and_its_default_is_the_trainers(options: TrainOptions) -> None:
    def seed(**changes: object) -> int:
        return int(plan_training(msgspec.structs.replace(options, **changes), registry()).config["seed"])

    assert [seed(curriculum=Curriculum(seed=number)) for number in (0, 1, 2)] == [42, 43, 44]
    assert seed(curriculum=Curriculum(seed=1), changes=("seed=7",)) == 7


GPU = Gpu(name="NVIDIA RTX 4090", memory=24.0, used=0.0, driver="580.65.06")


def test_few_steps_of_which_the_first_teaches_nothing_are_told(options: TrainOptions) -> None:
    def told(*changes: str) -> list[str]:
        plan = plan_training(msgspec.structs.replace(options, changes=changes), registry())
        return [finding.message for finding in check_fit(plan, []) if finding.check == "steps"]

    (message,) = told()
    assert message.startswith("6 steps in all, the first at learning rate 0 (warm-up)")
    assert told("warmup_ratio=0") == []
    assert told("num_train_epochs=40") == []


def test_what_a_machine_has_no_memory_for_is_told(options: TrainOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(**changes: Any) -> list[str]:
        plan = plan_training(msgspec.structs.replace(options, recipe="full", **changes), registry())
        return [finding.message for finding in check_fit(plan, []) if finding.check == "machine"]

    monkeypatch.setattr(fitting, "machine_memory", lambda: 24.0)
    (offloaded,) = told(gpus=1, deepspeed="zero2-offload")
    assert offloaded.startswith(
        "this machine has 24 GiB of memory, and at least 45 are needed of it: --deepspeed zero2"
    )
    (on_cpu,) = told(gpus=0)
    assert "the CPU is for small models" in on_cpu
    assert told(gpus=4, deepspeed="zero2") == []
    monkeypatch.setattr(fitting, "machine_memory", lambda: 512.0)
    assert told(gpus=1, deepspeed="zero2-offload") == told(gpus=0) == []
    assert "\n            and about 45 GiB of the machine's own memory\n" in dry_run(
        options, "--recipe", "full", "--gpus", "1", "--deepspeed", "zero2-offload"
    )


def test_figures_that_leave_out_a_trained_vision_tower_say_so(options: TrainOptions) -> None:
    def told(*changes: str) -> list[str]:
        plan = plan_training(msgspec.structs.replace(options, changes=changes), registry())
        return [finding.message for finding in check_fit(plan, []) if finding.check == "vision"]

    assert told() == []
    (message,) = told("freeze_vision_tower=false")
    assert message.startswith("freeze_vision_tower=false: the figures of memory leave out")


def test_an_example_that_does_not_fit_the_gpu_gets_the_budget_that_does(options: TrainOptions) -> None:
    plan = plan_training(msgspec.structs.replace(options, recipe="lora"), registry())
    assert [finding.check for finding in check_fit(plan, [GPU])] == ["steps"]
    # Another process holds ten of its 24 GiB.
    tight = msgspec.structs.replace(GPU, used=10.0)
    long = msgspec.structs.replace(plan, lengths=(("a", 60_000),))
    (warning,) = [finding for finding in check_fit(long, [tight]) if finding.check == "memory"]
    assert "60,000 tokens" in warning.message
    assert "--max-pixels 262144" in warning.message


def test_a_model_that_does_not_fit_is_said_to(options: TrainOptions) -> None:
    plan = plan_training(msgspec.structs.replace(options, recipe="full", gpus=1), registry())
    (warning,) = [finding for finding in check_fit(plan, [GPU]) if finding.check == "memory"]
    assert "alone" in warning.message
    assert "the recipe lora" in warning.message


def test_a_full_disk_is_seen_before_it_is_full(options: TrainOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_training(msgspec.structs.replace(options, recipe="full"), registry())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(100, 99, 5 * 2**30))
    assert "disk" in [finding.check for finding in check_fit(plan, [])]


def test_tasks_choose_examples_as_they_choose_questions(options: TrainOptions) -> None:
    with pytest.raises(UsageError, match="unknown task"):
        plan_training(msgspec.structs.replace(options, tasks=("animal-identifications",)), registry())
    plan = plan_training(msgspec.structs.replace(options, tasks=("animal-identification",)), registry())
    assert len(plan.examples.train) == 20


def test_missing_frames_stop_a_training_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_support(tmp_path / "data", [example()], frames=False)
    options = TrainOptions(model=str(write_base(tmp_path / "base")), data=root, output=tmp_path / "out")
    plan = plan_training(options, registry())
    assert [finding.check for finding in plan.errors] == ["frames"]
    words: list[str | Path] = [
        "train",
        "--model",
        options.model,
        "--data",
        root,
        "--output",
        options.output,
        "--dry-run",
    ]
    assert call(*words) == 2
    said = capsys.readouterr()
    assert "unreadable frames" in said.err
    assert "optimizer steps" in said.out
    experiment = tmp_path / "e.yaml"
    content = {"model": options.model, "data": str(root), "output": "out", "domains": ["animal"]}
    experiment.write_text(yaml.safe_dump(content))
    assert call("experiment", experiment, "--dry-run") == 2
    assert not (tmp_path / "out").exists()


def test_a_dry_run_of_an_experiment_says_what_its_evaluation_would_fail_of(
    tmp_path: Path, demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, experiment = tmp_path / "data", tmp_path / "e.yaml"
    shutil.copytree(demo, data)
    content = {"model": str(write_base(tmp_path / "base")), "data": str(data), "output": "out", "domains": ["animal"]}
    experiment.write_text(yaml.safe_dump(content))
    assert call("experiment", experiment, "--dry-run") == 0
    answers = data / "egocross_testbed" / "egocross_testbed_answers.json"
    known = answers.read_text()
    answers.unlink()
    assert call("experiment", experiment, "--dry-run") == 1
    assert "the right answers of 100 questions aren't known" in capsys.readouterr().err
    answers.write_text(known)
    frame = next((data / "egocross_testbed").rglob("*.jpg"), None) or next((data / "egocross_testbed").rglob("*.png"))
    frame.write_bytes(b"")
    capsys.readouterr()
    assert call("experiment", experiment, "--dry-run", "--format", "json") == 1
    assert "would fail" in json.loads(capsys.readouterr().out)["evaluation"]["fault"]
    (data / "egocross_testbed").rename(data / "elsewhere")
    (data / "elsewhere" / "egocross_testbed_imgs.json").unlink()
    assert call("experiment", experiment, "--dry-run") == 1
    assert "Error: evaluation: there is no egocross_testbed_imgs.json" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [{}, {"use_dft_loss": True}])
def test_the_loss_is_told_beside_that_of_guessing(
    options: TrainOptions, arguments: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Of three tokens two are always the same, so a third of ln 4; the expected reward is on another scale."""
    card = training_card(arguments=arguments)
    done = TrainedModel(model=Path("adapter"), spec="hf:base,lora=adapter", options=[], card=card, resumed_from=0)
    print_result(done, plan_training(options, registry()))
    said = capsys.readouterr().out
    assert "1.5000 at step 1, 0.5000 at step 6" in said
    assert ("guessing a letter is about 0.46" in said) == (not arguments)


@pytest.mark.parametrize("words", [["--set", "per_device_train_batch_size=0"], ["--passes", "0"], ["--nodes", "2"]])
def test_impossible_numbers_are_an_error_document_of_a_dry_run(
    options: TrainOptions, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--model", options.model, "--data", str(options.data), "--output", str(options.output), "--dry-run"]
    assert call("train", *common, *words, "--format", "json") == 2
    found = json.loads(capsys.readouterr().out)
    assert words[0] in found["error"]
    assert not options.output.exists()


def test_numbers_of_a_recipe_file_are_refused_in_its_name_unless_changed(options: TrainOptions, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    arguments = "{stage: sft, do_train: true, learning_rate: .nan}"
    path.write_text(f"description: mine\narguments: {arguments}\n", encoding="utf-8")
    mine = msgspec.structs.replace(options, recipe=str(path))
    with pytest.raises(UsageError, match=r"recipe .*mine.yaml: learning_rate=nan must be a number above 0"):
        plan_training(mine, registry())
    changed = plan_training(msgspec.structs.replace(mine, changes=("learning_rate=1e-4",)), registry())
    assert changed.recipe.arguments["learning_rate"] == 1e-4


def test_limits_of_pixels_that_contradict_each_other_are_refused(options: TrainOptions) -> None:
    with pytest.raises(UsageError, match="image_min_pixels=999999 is above"):
        plan_training(msgspec.structs.replace(options, changes=("image_min_pixels=999999",)), registry())


@pytest.mark.parametrize("seed", [-43, 2**32])
def test_a_seed_that_the_trainer_cannot_have_is_refused(options: TrainOptions, seed: int) -> None:
    with pytest.raises(UsageError, match=f"--seed {seed}"):
        plan_training(msgspec.structs.replace(options, curriculum=Curriculum(seed=seed)), registry())


@pytest.mark.parametrize(
    "shares", [(0.5, 0.0), (0.5, 0.2), (-0.1, 0.5), (0.0, 1.5), (float("nan"), 0.5), (0.1, float("nan"))]
)
def test_shares_of_passes_that_cannot_be_are_refused(shares: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match="--shuffle-options"):
        Curriculum(sort_until=shares[0], shuffle_from=shares[1])


@pytest.mark.parametrize(("installed", "warned"), [({}, True), ({"flash_attn": "2.8"}, False)])
def test_flash_attention_that_is_not_installed_is_remarked_on_in_a_dry_run(
    options: TrainOptions, monkeypatch: pytest.MonkeyPatch, installed: dict[str, str], warned: bool
) -> None:
    environment = TrainingEnvironment(python=Path("/env/bin/python"), origin="named", versions=installed)
    monkeypatch.setattr(missing_modules, "existing_environment", lambda python: environment)
    text = dry_run(options, "--set", "flash_attn=fa2")
    assert ("flash_attn=fa2: /env/bin/python lacks flash_attn" in text) == warned
    monkeypatch.setattr(missing_modules, "existing_environment", lambda python: None)
    assert "the training environment's lock has no flash_attn" in dry_run(options, "--set", "flash_attn=fa2")
    assert "flash_attn" not in dry_run(options)


@pytest.mark.parametrize(
    ("change", "module"),
    [
        ("optim=adamw_8bit", "bitsandbytes"),
        ("optim=adamw_torch_8bit", "torchao"),
        ("optim=galore_adamw_8bit", "galore_torch"),
        ("quantization_bit=4", "bitsandbytes"),
        ("use_badam=true", "badam"),
        ("report_to=wandb", "wandb"),
    ],
)
def test_a_module_without_which_the_trainer_cannot_start_is_missed_before_anything_is_built(
    options: TrainOptions, monkeypatch: pytest.MonkeyPatch, change: str, module: str
) -> None:
    monkeypatch.setattr(missing_modules, "existing_environment", lambda python: None)
    arguments = plan_training(msgspec.structs.replace(options, changes=(change,)), registry()).recipe.arguments
    with pytest.raises(UsageError, match=f"{change}: the training environment's lock has no {module}.*--python"):
        check_modules(arguments, None)
    environment = TrainingEnvironment(python=Path("/env/bin/python"), origin="named", versions={module: "1.0"})
    monkeypatch.setattr(missing_modules, "existing_environment", lambda python: environment)
    assert check_modules(arguments, None) == []


def test_every_module_that_may_be_needed_is_looked_for_in_an_environment() -> None:
    named = Path(sys.executable)
    found = subprocess.run([named, "-c", _PROBE, "msgspec", "no_such_module"], capture_output=True, check=True)
    assert set(json.loads(found.stdout)["packages"]) & {"msgspec", "no_such_module"} == {"msgspec"}
    assert {"bitsandbytes", "flash_attn", "wandb"} <= set(MODULES)


def test_a_dry_run_on_the_cpu_shows_the_precision_that_is_trained_in(options: TrainOptions) -> None:
    assert "\n  bf16: true\n" in dry_run(options, "--gpus", "1")
    text = dry_run(options, "--gpus", "0", "--set", "num_train_epochs=1", "--limit", "8")
    assert "\n  bf16: false\n" in text
    assert "1 optimizer step in 1 epoch\n" in text
