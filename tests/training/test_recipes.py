"""Recipes: the published values, what is changed of them, and the user's changes."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval.errors import UsageError
from egocross_eval.training.argument_numbers import NEVER_NULL, RANGES, check_number
from egocross_eval.training.environment import TrainingEnvironment
from egocross_eval.training.estimates import optimizer_steps
from egocross_eval.training.recipes import Launch, Zero, load_recipe, recipe_names, with_changes
from egocross_eval.training.trainer_arguments import (
    check_arguments,
    check_numbers,
    locked_arguments,
    read_overrides,
)
from egocross_eval.training.trainer_command import START, command
from egocross_eval.training.trainer_config import configuration, zero_config
from egocross_eval.training.traps import check_traps

ENVIRONMENT = TrainingEnvironment(python=Path("/env/bin/python"), origin="named", versions={})


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_loads(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.description
    assert recipe.arguments["stage"] == "sft"


def test_the_published_full_recipe_is_as_printed() -> None:
    recipe = load_recipe("published-full")
    wanted = {
        "finetuning_type": "full",
        "cutoff_len": 32768,
        "image_max_pixels": 360000,
        "image_min_pixels": 50176,
        "video_max_pixels": 360000,
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": 8,
        "learning_rate": 1e-5,
        "num_train_epochs": 2.0,
        "lr_scheduler_type": "cosine",
        "warmup_ratio": 0.1,
        "bf16": True,
        "template": "qwen3_vl",
    }
    assert {key: recipe.arguments[key] for key in wanted} == wanted
    assert (recipe.launch.gpus, recipe.launch.deepspeed) == (4, "zero2")


def test_the_published_lora_recipe_is_as_printed() -> None:
    recipe = load_recipe("published-lora")
    wanted = {
        "finetuning_type": "lora",
        "lora_rank": 64,
        "lora_alpha": 128,
        "lora_dropout": 0.05,
        "lora_target": "all",
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 4,
        "learning_rate": 2e-4,
    }
    assert {key: recipe.arguments[key] for key in wanted} == wanted
    assert (recipe.launch.gpus, recipe.launch.deepspeed) == (1, "none")


@pytest.mark.parametrize("name", ["full", "lora"])
def test_every_deviation_from_the_published_values_is_documented(name: str) -> None:
    ours, published = load_recipe(name), load_recipe(f"published-{name}")
    changed = {key for key in ours.arguments if ours.arguments[key] != published.arguments.get(key)}
    text = " ".join(ours.deviations)
    undocumented = {key for key in changed if key not in text and not key.startswith("save_")}
    assert undocumented == set()
    assert set(published.arguments) <= set(ours.arguments)
    assert ours.arguments["template"] == "qwen3_vl_nothink"


def test_changes_are_read_as_numbers_truths_and_texts() -> None:
    changes = read_overrides(["learning-rate=5e-5", "bf16=false", "lora_rank=32", "template=qwen3_vl_nothink"])
    assert changes == {"learning_rate": 5e-5, "bf16": False, "lora_rank": 32, "template": "qwen3_vl_nothink"}
    recipe = with_changes(load_recipe("lora"), changes)
    assert recipe.arguments["lora_rank"] == 32


@pytest.mark.parametrize("pair", ["learning_rate", "=3", "output_dir=/x", "deepspeed=x.json"])
def test_malformed_changes_and_arguments_of_our_own_are_refused(pair: str) -> None:
    with pytest.raises(UsageError):
        read_overrides([pair])


def test_an_unknown_argument_gets_a_suggestion() -> None:
    with pytest.raises(UsageError, match="did you mean 'learning_rate'"):
        check_arguments({"learning_rates": 1e-5}, locked_arguments(), "--set")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("lora_rank", 1.5, "a whole number"),
        ("learning_rate", "fast", "a number"),
        ("bf16", 1, "true or false"),
        ("save_strategy", "often", "none of no, steps, epoch"),
    ],
)
def test_values_of_another_type_are_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_arguments({name: value}, locked_arguments(), "--set")


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("per_device_train_batch_size=0", "a whole number from 1"),
        ("gradient_accumulation_steps=-2", "a whole number from 1"),
        ("per_device_train_batch_size=null", "is null(.|\n)*leave it out"),
        ("per_device_train_batch_size=[1]", "must be a whole number"),
        ("image_max_pixels=many", "must be a whole number"),
        ("num_train_epochs=0", "a number above 0"),
        ("num_train_epochs=1e300", "up to 1000000"),
        ("max_steps=0", "from 1, or -1 for none"),
        ("lora_rank=-1", "from 1; to train without an adapter: --recipe full"),
        ("lora_rank=true", "a whole number"),
        ("lora_rank=.inf", "a whole number from 1"),
        ("learning_rate=0", "a number above 0"),
        ("learning_rate=.nan", "=nan must be a number above 0"),
        ("learning_rate=-.inf", "a number above 0"),
        ("save_steps=0", "to write no checkpoints: save_strategy=no"),
        ("save_steps=2.5", "a share of all steps below 1"),
        ("lora_dropout=1", "from 0 below 1"),
        ("warmup_ratio=1.5", "from 0 up to 1"),
        ("seed=4294967296", "up to 4294967295"),
        ("asft_alpha=.nan", "a number from"),
    ],
)
def test_numbers_that_no_training_has_are_refused_by_name(pair: str, message: str) -> None:
    name = pair.partition("=")[0]
    with pytest.raises(UsageError, match=f"--set: {name}(.|\n)*{message}"):
        check_numbers(read_overrides([pair]), "--set")


@pytest.mark.parametrize(
    "pair", ["max_steps=-1", "save_steps=0.5", "save_steps=4.0", "warmup_steps=0", "data_seed=null"]
)
def test_numbers_that_a_training_can_have_are_taken(pair: str) -> None:
    check_numbers(read_overrides([pair]), "--set")


@given(st.one_of(st.integers(), st.floats()), st.sampled_from(sorted(RANGES)))
def test_what_is_taken_is_finite_and_within_its_range(number: float, name: str) -> None:
    with contextlib.suppress(UsageError):
        check_number(name, number, "a number", "--set")
        assert math.isfinite(number)
        assert RANGES[name].holds(number)


def test_every_number_with_a_range_is_one_of_the_trainers_arguments() -> None:
    known = locked_arguments()
    assert {known[name].type for name in {*RANGES, *NEVER_NULL}} == {"int", "float"}
    assert set(RANGES) >= NEVER_NULL


def test_a_recipe_file_names_gpus_and_no_machines(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("description: mine\narguments: {stage: sft}\nlaunch: {gpus: 2, nodes: 2}\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"mine\.yaml: launch has gpus and deepspeed"):
        load_recipe(str(path))


def test_a_recipe_file_of_the_users_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("description: mine\narguments: {stage: sft}\n", encoding="utf-8")
    assert load_recipe(str(path)).name == "mine"
    path.write_text("description: mine\nargument: {}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="argument"):
        load_recipe(str(path))


def test_every_recipe_is_made_of_known_arguments() -> None:
    for name in recipe_names():
        recipe = load_recipe(name)
        check_arguments(recipe.arguments, locked_arguments(), name)
        check_traps(recipe.arguments, "qwen3_vl")


def test_no_is_a_word_and_false_a_hint() -> None:
    """YAML would make a truth of `no`, and `save_strategy` has a value of that name."""
    assert read_overrides(["save_strategy=no"]) == {"save_strategy": "no"}
    with pytest.raises(UsageError, match="quotes"):
        check_arguments({"save_strategy": False}, locked_arguments(), "recipe mine")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"enable_liger_kernel": True}, "no Liger kernels"),
        ({"val_size": 0.1}, "--holdout"),
        ({"load_best_model_at_end": True}, "--holdout"),
        ({"max_samples": 3}, "--limit"),
        ({"packing": True}, "see each other"),
        ({"neat_packing": True}, "flash attention"),
        ({"do_eval": True}, "--holdout"),
        ({"eval_strategy": "epoch"}, "eval_strategy=epoch: nothing is evaluated"),
        ({"do_train": False}, "train nothing; take true"),
        ({"stage": "dpo"}, "stage=dpo: .*take sft"),
        ({"finetuning_type": "oft"}, "take lora or full or freeze"),
        ({"fp16": True}, "bf16=false"),
        ({"freeze_language_model": True}, "everything is frozen"),
    ],
)
def test_what_the_trainer_takes_but_cannot_do_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_traps(load_recipe("lora").arguments | arguments, "qwen3_vl")


def test_a_recipe_that_leaves_out_that_it_trains_is_refused() -> None:
    arguments = {name: value for name, value in load_recipe("full").arguments.items() if name != "do_train"}
    with pytest.raises(UsageError, match="do_train=false"):
        check_traps(arguments, "qwen3_vl")


def test_the_small_recipe_takes_a_step_an_example() -> None:
    arguments = load_recipe("lora-small").arguments
    assert optimizer_steps(80, arguments, 1) == 800
    assert arguments["image_max_pixels"] == 128_000


OURS = [name for name in recipe_names() if not name.startswith("published")]


@pytest.mark.parametrize("name", [name for name in OURS if name != "tiny"])
def test_a_recipe_of_ours_says_what_is_trained_and_pads_no_example_to_the_length_of_another(name: str) -> None:
    arguments = load_recipe(name).arguments
    frozen = ("vision_tower", "multi_modal_projector", "language_model")
    assert [arguments[f"freeze_{part}"] for part in frozen] == [True, True, False]
    assert arguments["per_device_train_batch_size"] == 1


def test_a_step_has_as_many_examples_as_the_published_one() -> None:
    for ours, published in (("lora", "published-lora"), ("full", "published-full")):
        ours_, theirs = load_recipe(ours), load_recipe(published)
        sizes = [
            recipe.number("per_device_train_batch_size", 0)
            * recipe.number("gradient_accumulation_steps", 0)
            * recipe.launch.workers
            for recipe in (ours_, theirs)
        ]
        assert sizes[0] == sizes[1]


def test_the_expected_reward_is_all_that_sets_its_recipe_apart() -> None:
    assert load_recipe("lora-expected").arguments == {**load_recipe("lora").arguments, "use_dft_loss": True}


@pytest.mark.parametrize("stage", [stage for stage in get_args(Zero) if stage != "none"])
def test_no_stage_overlaps_and_offload_keeps_the_optimizer_in_the_machines_memory(stage: Zero) -> None:
    zero = zero_config(stage)["zero_optimization"]
    assert zero["overlap_comm"] is False
    assert zero["stage"] == int(stage[4])
    kept = zero.get("offload_optimizer", {}).get("device")
    assert kept == ("cpu" if stage.endswith("offload") else None)


def test_processes_wait_longer_than_half_an_hour_for_the_one_that_prepares_the_data(tmp_path: Path) -> None:
    recipe = load_recipe("lora")
    several = configuration(recipe, Launch(gpus=2), model="base", output=tmp_path)
    assert several["ddp_timeout"] > 86_400
    assert "ddp_timeout" not in configuration(recipe, Launch(gpus=1), model="base", output=tmp_path)
    mine = with_changes(recipe, {"ddp_timeout": 60})
    assert configuration(mine, Launch(gpus=2), model="base", output=tmp_path)["ddp_timeout"] == 60


def test_one_process_is_started_plainly_and_several_by_torchrun() -> None:
    config = Path("/o/config.yaml")
    single = command(ENVIRONMENT, Launch(gpus=1), config)
    assert single == ["/env/bin/python", "-m", START, "/o/config.yaml"]
    at_once = command(ENVIRONMENT, Launch(gpus=4), config)
    assert at_once[1:5] == ["-m", "torch.distributed.run", "--nproc_per_node=4", "--standalone"]
    several = command(ENVIRONMENT, Launch(gpus=4, nodes=2, rank=1, address="10.0.0.1:29511"), config)
    assert several[1:3] == ["-m", "torch.distributed.run"]
    for option in (
        "--nnodes=2",
        "--node_rank=1",
        "--nproc_per_node=4",
        "--master_addr=10.0.0.1",
        "--master_port=29511",
    ):
        assert option in several
    assert several[-3:] == ["-m", START, "/o/config.yaml"]


@pytest.mark.parametrize("launch", [Launch(gpus=2, nodes=2, address="nowhere"), Launch(gpus=2, nodes=2, rank=2)])
def test_impossible_launches_are_refused(launch: Launch) -> None:
    with pytest.raises(UsageError):
        command(ENVIRONMENT, launch, Path("c.yaml"))


def test_deepspeed_is_written_for_gpus_and_refused_on_the_cpu(tmp_path: Path) -> None:
    recipe = load_recipe("full")
    config = configuration(recipe, recipe.launch, model="base", output=tmp_path)
    assert config["deepspeed"] == str(tmp_path / "zero2.json")
    assert zero_config("zero2")["zero_optimization"]["stage"] == 2
    third = zero_config("zero3")["zero_optimization"]
    assert third["stage"] == 3
    assert third["stage3_gather_16bit_weights_on_model_save"] is True
    with pytest.raises(UsageError, match="DeepSpeed needs GPUs"):
        configuration(recipe, Launch(gpus=0, deepspeed="zero2"), model="base", output=tmp_path)


def test_on_the_cpu_half_precision_is_off(tmp_path: Path) -> None:
    config = configuration(load_recipe("lora"), Launch(gpus=0), model="base", output=tmp_path)
    assert config["bf16"] is False
    assert config["use_cpu"] is True
