"""Steps, memory and time before a training is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_files import write_base

from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
from egocross_eval.training.estimates import (
    GIB,
    RESERVE,
    ModelSize,
    disk_needed,
    longest_that_fits,
    memory_of_machine,
    memory_per_gpu,
    model_size,
    optimizer_steps,
    seconds,
)
from egocross_eval.training.frame_sizes import Limits
from egocross_eval.training.recipes import Launch, Zero, load_recipe


def test_the_published_full_recipe_makes_a_handful_of_steps_of_the_support_set() -> None:
    assert optimizer_steps(80, load_recipe("published-full").arguments, 4) == 6


def test_the_published_lora_recipe_makes_twenty_steps_of_the_support_set() -> None:
    assert optimizer_steps(80, load_recipe("published-lora").arguments, 1) == 20


@given(st.integers(1, 300), st.integers(1, 9), st.integers(1, 9), st.integers(1, 8), st.integers(1, 4))
def test_steps_are_those_of_dealing_out_batches(
    examples: int, batch: int, accumulation: int, workers: int, epochs: int
) -> None:
    batches = len(range(0, examples, batch))
    rounds = len(range(0, batches, workers))
    steps = len(range(0, rounds, accumulation))
    arguments = {
        "per_device_train_batch_size": batch,
        "gradient_accumulation_steps": accumulation,
        "num_train_epochs": float(epochs),
    }
    assert optimizer_steps(examples, arguments, workers) == epochs * steps


def test_a_number_of_steps_that_is_asked_for_wins() -> None:
    assert optimizer_steps(80, {"max_steps": 3}, 4) == 3


@pytest.fixture
def base(tmp_path: Path) -> Checkpoint:
    return Checkpoint(str(write_base(tmp_path)))


def test_parameters_of_qwen3_vl_4b_follow_from_its_configuration(base: Checkpoint) -> None:
    assert model_size(base.config).parameters == pytest.approx(4.44e9, rel=0.01)


def total(size: ModelSize, arguments: dict[str, Any], launch: Launch, longest: int) -> float:
    return sum(memory_per_gpu(size, arguments, launch, longest).values())


@pytest.mark.parametrize(
    ("recipe", "batch", "tokens", "gib"),
    [
        ("lora", 1, 47_900, 37.0),
        ("lora", 1, 32_800, 28.0),
        ("lora", 1, 16_400, 18.5),
        ("lora", 2, 4_100, 14.5),
        ("full", 1, 47_900, 39.5),
        ("full", 1, 32_800, 33.5),
    ],
)
def test_memory_is_within_a_tenth_of_what_was_simulated(
    base: Checkpoint, recipe: str, batch: int, tokens: int, gib: float
) -> None:
    """Figures for Qwen3-VL 4B: its own classes with all storages of a forward and backward pass counted."""
    found = load_recipe(recipe)
    arguments = {**found.arguments, "per_device_train_batch_size": batch}
    assert total(model_size(base.config), arguments, found.launch, tokens) == pytest.approx(gib, rel=0.1)


@pytest.mark.parametrize(
    ("recipe", "batch", "tokens", "gib"),
    [("lora", 1, 47_900, 146.0), ("lora", 1, 32_800, 103.0), ("lora", 2, 47_900, 280.0), ("full", 1, 47_900, 133.0)],
)
def test_scores_at_every_token_take_the_most(
    base: Checkpoint, recipe: str, batch: int, tokens: int, gib: float
) -> None:
    found = load_recipe(recipe)
    arguments = {**found.arguments, "per_device_train_batch_size": batch, "train_on_prompt": True}
    assert total(model_size(base.config), arguments, found.launch, tokens) == pytest.approx(gib, rel=0.1)


def test_the_recipes_fit_the_gpus_they_are_made_for(base: Checkpoint) -> None:
    """The longest example has 47,921 tokens at 360,000 pixels and 15,791 at 128,000."""
    size = model_size(base.config)
    for name, memory, longest in (("lora", 79.0, 47_921), ("full", 79.0, 47_921), ("lora-small", 23.5, 15_791)):
        recipe = load_recipe(name)
        fits = longest_that_fits(size, recipe.arguments, recipe.launch, memory)
        assert fits > longest
        assert total(size, recipe.arguments, recipe.launch, fits) + RESERVE == pytest.approx(memory, abs=0.01)
    assert longest_that_fits(size, load_recipe("full").arguments, Launch(gpus=1), 24.0) == 0


def test_more_gpus_lower_the_memory_of_each(base: Checkpoint) -> None:
    size, arguments = model_size(base.config), load_recipe("full").arguments
    shares: list[tuple[int, Zero]] = [(1, "none"), (1, "zero2"), (4, "zero2"), (4, "zero3"), (4, "zero3-offload")]
    totals = [total(size, arguments, Launch(gpus=gpus, deepspeed=zero), 8000) for gpus, zero in shares]
    assert totals == sorted(set(totals), reverse=True)
    assert len(totals) == len(shares)
    # Weights, gradients and two moments in float32 alone are 16 bytes a parameter of the language model.
    assert totals[0] > 16 * size.text / GIB
    assert total(size, load_recipe("lora").arguments, Launch(gpus=1), 8000) < totals[0]


def test_checkpoints_to_go_on_from_take_most_of_the_disk(base: Checkpoint) -> None:
    size, arguments = model_size(base.config), load_recipe("full").arguments
    assert disk_needed(size, arguments) < 10
    assert disk_needed(size, {**arguments, "save_strategy": "epoch"}) > 110
    assert disk_needed(size, {**arguments, "save_strategy": "epoch", "save_only_model": True}) < 30
    small = load_recipe("lora-small").arguments
    assert disk_needed(size, small) == pytest.approx(11 * disk_needed(size, {**small, "save_strategy": "no"}))


def test_time_grows_with_tokens_and_falls_with_workers(base: Checkpoint) -> None:
    size, arguments = model_size(base.config), load_recipe("full").arguments
    one = seconds(size, arguments, Launch(gpus=1), 100_000, "NVIDIA H200")
    assert seconds(size, arguments, Launch(gpus=1), 200_000, "NVIDIA H200") == pytest.approx(2 * one)
    assert seconds(size, arguments, Launch(gpus=4), 100_000, "NVIDIA H200") == pytest.approx(one / 4)


@given(st.integers(20, 3000), st.integers(20, 3000), st.integers(1024, 1_000_000))
def test_a_frame_never_exceeds_the_budget_in_evaluation(height: int, width: int, budget: int) -> None:
    limits = Limits(factor=32, least=1024, most=1 << 24)
    tall, wide = limits.asked((height, width), budget)
    assert tall % 32 == wide % 32 == 0
    assert tall * wide <= budget


@pytest.mark.slow
@given(st.integers(32, 2000), st.integers(32, 2000), st.one_of(st.none(), st.integers(4096, 1_000_000)))
def test_sizes_are_those_of_the_adapter(height: int, width: int, budget: int | None) -> None:
    pytest.importorskip("torchvision")
    from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

    if max(height, width) / min(height, width) > 8:
        return
    limits = Limits(factor=32, least=4096, most=300_000)
    most = limits.most if budget is None else min(limits.most, budget)
    found = smart_resize(height, width, 32, min_pixels=min(limits.least, most), max_pixels=most)
    if budget is None or found[0] * found[1] <= budget:
        assert limits.asked((height, width), budget) == found


def test_a_training_on_the_cpu_computes_in_whole_precision(base: Checkpoint) -> None:
    size, arguments = model_size(base.config), load_recipe("lora").arguments
    on_cpu = memory_per_gpu(size, arguments, Launch(gpus=0), 8000)
    whole = memory_per_gpu(size, {**arguments, "bf16": False}, Launch(gpus=1), 8000)
    assert on_cpu == whole
    assert on_cpu["weights"] > 4 * size.parameters / GIB
    assert memory_of_machine(size, arguments, Launch(gpus=0), 8000) == pytest.approx(sum(on_cpu.values()))


def test_offloaded_states_are_in_each_machines_memory(base: Checkpoint) -> None:
    size, arguments = model_size(base.config), load_recipe("full").arguments
    one = memory_of_machine(size, arguments, Launch(gpus=4, deepspeed="zero3-offload"), 8000)
    assert one == pytest.approx(12 * size.text / GIB)
    two = Launch(gpus=4, nodes=2, address="a:1", deepspeed="zero3-offload")
    assert memory_of_machine(size, arguments, two, 8000) == pytest.approx(one / 2)
    assert memory_of_machine(size, arguments, Launch(gpus=4, deepspeed="zero3"), 8000) == 0
