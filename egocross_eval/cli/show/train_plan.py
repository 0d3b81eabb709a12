"""`train --dry-run`: what a training would do, and how it fits the GPUs seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

from egocross_eval.cli.show.pace import duration
from egocross_eval.counted import counted
from egocross_eval.training.card import as_options
from egocross_eval.training.example_checks import Finding
from egocross_eval.training.recipes import Recipe

if TYPE_CHECKING:
    from egocross_eval.nvidia import Gpu
    from egocross_eval.training.experiment_file import Experiment
    from egocross_eval.training.planning import TrainPlan


class TrainingNeeds(msgspec.Struct, frozen=True, kw_only=True):
    """What a training needs, estimated."""

    tokens: int
    """Of an epoch."""
    longest: int
    """Tokens of the longest example."""
    memory: dict[str, float]
    """GiB of each GPU, or of the machine, by use."""
    machine: float = 0.0
    """GiB of each machine's own memory, where parts of a training on GPUs are kept there."""
    fits: dict[str, int]
    """Tokens of the longest example that fits, by card."""
    disk: float
    """GiB in the output folder."""
    seconds: float
    """Roughly."""
    gpu_seen: bool


class TrainingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A training before it's started."""

    recipe: Recipe
    findings: list[Finding]
    examples: int
    by_domain: dict[str, int]
    held_out: int
    examples_a_step: int
    steps: int
    epochs: float
    needs: TrainingNeeds | None
    """None where the model's sizes aren't known."""
    options: list[str]
    """Options of a run that shows questions as they would be trained."""
    config: dict[str, Any]
    """LLaMA-Factory's configuration."""


class PlannedEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """How base and experts would be asked."""

    questions: int = 0
    """None where they can't be asked at all."""
    fault: str = ""
    """Why they can't be asked, or not scored; empty where they can."""


class PlannedExperiment(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment before it's started."""

    trainings: dict[str, TrainingPlan]
    """By the name of the expert."""
    evaluation: PlannedEvaluation | None = None
    """None where the experts are asked what was held out for them, unless the base can't be asked at all."""


def planned_evaluation(experiment: Experiment) -> PlannedEvaluation | None:
    """What is known of an experiment's evaluation before anything is trained."""
    from egocross_eval.cli.show.dry_run import estimate, unreadable_said
    from egocross_eval.contracts.registry import registry
    from egocross_eval.errors import EgoCrossError
    from egocross_eval.model_adapters.spec import build_adapter, parse_spec
    from egocross_eval.runs.options import options_from
    from egocross_eval.runs.plan import check_model, plan_run
    from egocross_eval.training.experiment import expert_spec, run_options
    from egocross_eval.training.served_adapter import check_adapters

    base = parse_spec(expert_spec(experiment, None))
    try:
        if experiment.evaluate.split != "testbed":
            build_adapter(base, registry()).close()
            check_adapters(experiment)
            return None
        plan = plan_run(options_from(**run_options(experiment)), registry())
        check_model(plan, base, registry())
        check_adapters(experiment)
    except EgoCrossError as error:
        return PlannedEvaluation(fault=str(error))
    found, fault = estimate(plan), ""
    unknown = sum(question.target is None for question in plan.questions)
    if found.failing:
        fault = f"unreadable: {unreadable_said(found, found.failing)}"
    elif unknown:
        fault = f"the right answers of {counted(unknown, 'question')} aren't known, so there would be no score"
    return PlannedEvaluation(questions=found.questions, fault=fault)


def training_plan(plan: TrainPlan, findings: list[Finding], gpus: Sequence[Gpu]) -> TrainingPlan:
    """For people and programs."""
    from egocross_eval.training.trainer_arguments import OURS

    arguments = plan.recipe.arguments
    batch = int(plan.recipe.number("per_device_train_batch_size", 8))
    accumulation = int(plan.recipe.number("gradient_accumulation_steps", 1))
    shown = {key: value for key, value in plan.config.items() if key not in arguments or key in OURS}
    return TrainingPlan(
        recipe=msgspec.structs.replace(plan.recipe, launch=plan.launch),
        findings=findings,
        examples=len(plan.trained),
        by_domain=Counter(question.label("domain") for question in plan.examples.train),
        held_out=len(plan.examples.holdout),
        examples_a_step=batch * accumulation * plan.launch.workers,
        steps=plan.steps,
        epochs=arguments.get("num_train_epochs", 3),
        needs=_needs(plan, gpus),
        options=as_options(plan.prompt),
        config={**shown, **{key: plan.config[key] for key in arguments}},
    )


def _needs(plan: TrainPlan, gpus: Sequence[Gpu]) -> TrainingNeeds | None:
    from egocross_eval.training.estimates import (
        disk_needed,
        longest_that_fits,
        memory_of_machine,
        memory_per_gpu,
        seconds,
    )

    if plan.size is None or not plan.lengths:
        return None
    launch, arguments = plan.launch, plan.recipe.arguments
    total = sum(tokens for _, tokens in plan.lengths) * len(plan.trained) // len(plan.lengths)
    seen = {gpu.memory: gpu.name for gpu in gpus if gpu.memory} or {24: "a card of 24 GB", 80: "a card of 80 GB"}
    cards = seen if launch.gpus else {}
    return TrainingNeeds(
        tokens=total,
        longest=plan.longest,
        memory=memory_per_gpu(plan.size, arguments, launch, plan.longest),
        machine=memory_of_machine(plan.size, arguments, launch, plan.longest) if launch.gpus else 0.0,
        fits={name: longest_that_fits(plan.size, arguments, launch, size) for size, name in cards.items()},
        disk=disk_needed(plan.size, arguments),
        seconds=seconds(plan.size, arguments, launch, total, gpus[0].name if gpus else ""),
        gpu_seen=bool(gpus),
    )


def print_plan(plan: TrainingPlan) -> None:
    """Prints it."""
    import yaml

    launch = plan.recipe.launch
    click.echo(f"recipe      {plan.recipe.name}: {plan.recipe.description}")
    for text in plan.recipe.deviations:
        click.echo(f"            {text}")
    listed = ", ".join(f"{name} {count}" for name, count in plan.by_domain.items())
    click.echo(f"examples    {plan.examples} ({listed}); {plan.held_out} held out")
    where = "the CPU" if launch.gpus == 0 else f"{launch.nodes} x {launch.gpus} GPUs, DeepSpeed {launch.deepspeed}"
    click.echo(f"on          {where}: {counted(plan.examples_a_step, 'example')} a step")
    epochs = "1 epoch" if plan.epochs == 1 else f"{plan.epochs} epochs"
    click.echo(f"steps       {counted(plan.steps, 'optimizer step')} in {epochs}")
    if plan.needs is not None:
        _print_needs(plan.needs, on_gpus=launch.gpus > 0)
    click.echo(f"evaluate    {' '.join(plan.options)}")
    click.echo("configuration:")
    for line in yaml.safe_dump(plan.config, sort_keys=False).splitlines():
        click.echo(f"  {line}")


def _print_needs(needs: TrainingNeeds, *, on_gpus: bool) -> None:
    parts = ", ".join(f"{name} {gib:.1f}" for name, gib in needs.memory.items())
    click.echo(f"tokens      about {needs.tokens:,} an epoch, the longest example about {needs.longest:,}")
    click.echo(f"memory      about {sum(needs.memory.values()):.1f} GiB {'a GPU' if on_gpus else 'in all'} ({parts})")
    if needs.machine:
        click.echo(f"            and about {needs.machine:.0f} GiB of the machine's own memory")
    for name, fits in needs.fits.items():
        click.echo(f"            on {name} the longest example that fits has about {fits:,} tokens")
    click.echo(f"disk        about {needs.disk:.0f} GiB in the output folder")
    unseen = "" if needs.gpu_seen or not on_gpus else ", no GPU seen here"
    click.echo(f"time        about {duration(needs.seconds)} (rough{unseen})")
