"""Whether a planned training fits the GPUs and the disk that are here, and the setting that makes it fit."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

import msgspec

from egocross_eval.counted import counted
from egocross_eval.nvidia import Gpu
from egocross_eval.training.estimates import (
    GIB,
    disk_needed,
    longest_that_fits,
    memory_of_machine,
    memory_per_gpu,
    scores_all_tokens,
)
from egocross_eval.training.example_checks import Finding
from egocross_eval.training.machine_report import machine_memory
from egocross_eval.training.planning import TrainPlan, estimate_lengths

BUDGETS = (262_144, 200_704, 128_000, 65_536, 32_768)
"""Pixel budgets that are tried to make an example fit."""

FEW_STEPS = 30


def check_fit(plan: TrainPlan, gpus: Sequence[Gpu]) -> list[Finding]:
    """What an estimate says against the training on these GPUs; none of it stops it, as the figures are rough."""
    said = {
        "steps": _steps(plan),
        "disk": _disk(plan),
        "memory": _memory(plan, gpus),
        "machine": _machine(plan),
        "vision": _vision(plan),
    }
    return [Finding(level="warning", check=check, message=message) for check, message in said.items() if message]


def _memory(plan: TrainPlan, gpus: Sequence[Gpu]) -> str:
    free = min((gpu.free for gpu in gpus[: plan.launch.gpus] if gpu.memory), default=0.0)
    if plan.size is None or not plan.longest or not free:
        return ""
    arguments = plan.recipe.arguments
    fits = longest_that_fits(plan.size, arguments, plan.launch, free)
    if plan.longest <= fits:
        return ""
    if not fits:
        fixed = sum(memory_per_gpu(plan.size, arguments, plan.launch, 0).values())
        alone = f"weights, gradients and optimizer alone take about {fixed:.0f} GiB, {free:.0f} are free"
        return f"{alone}: take more GPUs with --deepspeed zero3, or the recipe lora"
    remedies = ["--frames uniform:N"]
    budget = fitting_budget(plan, fits)
    if budget is not None:
        remedies.insert(0, f"--max-pixels {budget}")
    if plan.recipe.number("per_device_train_batch_size", 8) > 1:
        remedies.append("--set per_device_train_batch_size=1 with a higher gradient_accumulation_steps")
    if scores_all_tokens(arguments):
        remedies.append("a loss on the answers alone, which spares the scores of all other tokens")
    size = f"the longest example has about {plan.longest:,} tokens; about {fits:,} fit the {free:.0f} GiB that are free"
    return f"{size}: {', or '.join(remedies)}"


def fitting_budget(plan: TrainPlan, tokens: int) -> int | None:
    """The largest of `BUDGETS` below the plan's at which no example is longer than `tokens`; None where none is."""
    now = plan.prompt.max_pixels
    once = plan.trained[: len(plan.examples.train)]
    for budget in BUDGETS:
        if now is not None and budget >= now:
            continue
        shown = msgspec.structs.replace(plan.prompt, max_pixels=budget)
        renderer = msgspec.structs.replace(plan.renderer, settings=shown)
        if max(length for _, length in estimate_lengths(once, plan.checkpoint, renderer)) <= tokens:
            return budget
    return None


def _machine(plan: TrainPlan) -> str:
    there = machine_memory()
    if plan.size is None or not there:
        return ""
    needed = memory_of_machine(plan.size, plan.recipe.arguments, plan.launch, plan.longest)
    if needed <= there:
        return ""
    remedy = "--deepspeed zero2 or zero3 leaves the optimizer's states on the GPUs"
    if plan.launch.gpus == 0:
        remedy = (
            "a training on the CPU is for small models; --max-pixels, --frames uniform:N or the recipe lora take less"
        )
    return f"this machine has {there:.0f} GiB of memory, and at least {needed:.0f} are needed of it: {remedy}"


def _vision(plan: TrainPlan) -> str:
    if plan.size is None or not plan.launch.gpus or plan.recipe.arguments.get("freeze_vision_tower", True):
        return ""
    return (
        "freeze_vision_tower=false: the figures of memory leave out what a trained vision tower keeps of each frame; "
        "they were fitted to recipes that freeze it"
    )


def _steps(plan: TrainPlan) -> str:
    warm = plan.recipe.number("warmup_ratio", 0.0) or plan.recipe.number("warmup_steps", 0.0)
    if plan.steps >= FEW_STEPS or not warm:
        return ""
    return (
        f"{counted(plan.steps, 'step')} in all, the first at learning rate 0 (warm-up); --passes, more epochs or a "
        f"smaller gradient_accumulation_steps make more"
    )


def _disk(plan: TrainPlan) -> str:
    if plan.size is None:
        return ""
    output = plan.options.output.resolve()
    there = next(folder for folder in (output, *output.parents) if folder.exists())
    free, needed = shutil.disk_usage(there).free / GIB, disk_needed(plan.size, plan.recipe.arguments)
    if free >= needed:
        return ""
    return (
        f"about {needed:.0f} GiB are needed below {there}, {free:.0f} are free; --set save_only_model=true leaves the "
        f"optimizer's states out of checkpoints, --set save_strategy=no writes none"
    )
