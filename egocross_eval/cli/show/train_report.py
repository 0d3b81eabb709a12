"""What `egocross-eval train` prints: findings, the plan of a dry run, progress and the result."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from egocross_eval.training.card import as_options
from egocross_eval.training.example_checks import Finding
from egocross_eval.training.train import Trained, Watcher
from egocross_eval.training.trainer_process import Step
from egocross_eval.visible import rich_console

if TYPE_CHECKING:
    from egocross_eval.training.gpus import Gpu
    from egocross_eval.training.planning import TrainPlan


CHANCE_LOSS = math.log(4) / 3
"""Loss of a model that knows all but the letter: of the three tokens learnt two are always the same."""


def print_findings(findings: Iterable[Finding]) -> None:
    """One line each, on the error stream."""
    for finding in findings:
        click.echo(f"{finding.level}: {finding.message}", err=True)


def print_plan(plan: TrainPlan, gpus: Sequence[Gpu]) -> None:
    """What a training would do, and how it fits the GPUs seen."""
    import yaml

    from egocross_eval.training.trainer_arguments import OURS

    launch, arguments = plan.launch, plan.recipe.arguments
    domains = Counter(question.label("domain") for question in plan.examples.train)
    click.echo(f"recipe      {plan.recipe.name}: {plan.recipe.description}")
    for text in plan.recipe.deviations:
        click.echo(f"            {text}")
    listed = ", ".join(f"{name} {count}" for name, count in domains.items())
    click.echo(f"examples    {len(plan.trained)} ({listed}); {len(plan.examples.holdout)} held out")
    where = "the CPU" if launch.gpus == 0 else f"{launch.nodes} x {launch.gpus} GPUs, DeepSpeed {launch.deepspeed}"
    batch = int(plan.recipe.number("per_device_train_batch_size", 8))
    accumulation = int(plan.recipe.number("gradient_accumulation_steps", 1))
    click.echo(f"on          {where}: {batch * accumulation * launch.workers} examples a step")
    click.echo(f"steps       {plan.steps} optimizer steps in {arguments.get('num_train_epochs', 3)} epochs")
    _print_estimates(plan, gpus)
    click.echo(f"evaluate    {' '.join(as_options(plan.prompt))}")
    shown = {key: value for key, value in plan.config.items() if key not in arguments or key in OURS}
    click.echo("configuration:")
    for line in yaml.safe_dump({**shown, **arguments}, sort_keys=False).splitlines():
        click.echo(f"  {line}")


def _print_estimates(plan: TrainPlan, gpus: Sequence[Gpu]) -> None:
    from egocross_eval.training.estimates import disk_needed, longest_that_fits, memory_per_gpu, seconds

    if plan.size is None or not plan.lengths:
        return
    launch, arguments = plan.launch, plan.recipe.arguments
    total = sum(tokens for _, tokens in plan.lengths) * len(plan.trained) // len(plan.lengths)
    memory = memory_per_gpu(plan.size, arguments, launch, plan.longest)
    parts = ", ".join(f"{name} {gib:.1f}" for name, gib in memory.items())
    click.echo(f"tokens      about {total:,} an epoch, the longest example about {plan.longest:,}")
    click.echo(f"memory      about {sum(memory.values()):.1f} GiB {'a GPU' if launch.gpus else 'in all'} ({parts})")
    if launch.gpus:
        cards = {gpu.memory: gpu.name for gpu in gpus if gpu.memory} or {24: "a card of 24 GB", 80: "a card of 80 GB"}
        for size, name in cards.items():
            fits = longest_that_fits(plan.size, arguments, launch, size)
            click.echo(f"            on {name} the longest example that fits has about {fits:,} tokens")
    click.echo(f"disk        about {disk_needed(plan.size, arguments):.0f} GiB in the output folder")
    time = seconds(plan.size, arguments, launch, total, gpus[0].name if gpus else "")
    unseen = "" if gpus or launch.gpus == 0 else ", no GPU seen here"
    click.echo(f"time        about {_duration(time)} (rough{unseen})")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class TrainProgress(Watcher):
    """A bar with step, loss, learning rate and time left; lines where the output is no terminal."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = rich_console(stderr=True)
        self._bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, figures="", visible=False)

    def say(self, text: str) -> None:
        """A line above the bar."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def start(self, total: int, done: int) -> None:
        """Shows the bar."""
        self._bar.update(self._task, total=total, completed=done, visible=True, figures="loading the model")
        self._bar.start()
        if not self._console.is_terminal:
            self.say(f"training: {total} steps")

    def step(self, step: Step) -> None:
        """Moves the bar."""
        loss = "" if step.loss is None else f"loss {step.loss:.4f}"
        rate = "" if step.lr is None else f"  lr {step.lr:.2e}"
        self._bar.update(self._task, completed=step.current_steps, total=step.total_steps, figures=loss + rate)
        if not self._console.is_terminal:
            self.say(f"step {step.current_steps}/{step.total_steps}  {loss}{rate}  {step.remaining_time} left")

    def stop(self) -> None:
        """Leaves the bar as it is."""
        self._bar.stop()


def print_result(done: Trained, plan: TrainPlan) -> None:
    """Where the model is and how to evaluate it."""
    card = done.card
    if card.loss:
        (first, before), (last, after) = card.loss[0], card.loss[-1]
        click.echo(f"loss        {before:.4f} at step {first}, {after:.4f} at step {last}")
        if not card.arguments.get("use_dft_loss"):
            told = f"guessing a letter is about {CHANCE_LOSS:.2f}: two of three tokens are always the same"
            click.echo(f"            ({told})")
    click.echo(f"{'adapter' if card.kind == 'lora' else 'checkpoint':12}{done.model}")
    click.echo(f"card        {done.model / 'README.md'}")
    spec = f"hf:{card.base},lora={done.model}" if card.kind == "lora" else f"hf:{done.model}"
    click.echo(
        f"evaluate    egocross-eval --model {spec} --data {plan.options.data} {' '.join(as_options(card.prompt))}"
    )
