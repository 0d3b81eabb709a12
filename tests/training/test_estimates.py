"""Steps, memory and time before a training is started."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_files import write_base

from egocross_eval.model_adapters.hf.checkpoint import Checkpoint
from egocross_eval.training.estimates import memory_per_gpu, model_size, optimizer_steps, seconds
from egocross_eval.training.frame_sizes import Limits
from egocross_eval.training.recipes import Launch, load_recipe


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


def test_more_gpus_lower_the_memory_of_each(base: Checkpoint) -> None:
    size, arguments = model_size(base.config), load_recipe("full").arguments
    totals = [
        sum(memory_per_gpu(size, arguments, Launch(gpus=gpus, deepspeed=zero), 8000).values())  # type: ignore[arg-type]
        for gpus, zero in ((1, "none"), (1, "zero2"), (4, "zero2"), (4, "zero3"))
    ]
    assert totals[1] > totals[2] > totals[3]
    # Weights, gradients and two moments in float32 alone are 16 bytes a parameter.
    assert totals[0] > 16 * size.parameters / 2**30
    lora = sum(memory_per_gpu(size, load_recipe("lora").arguments, Launch(gpus=1), 8000).values())
    assert lora < totals[0]


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
