"""What `egocross-eval train` prints: findings, progress and the result."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from egocross_eval.counted import counted
from egocross_eval.settings import parted_paths
from egocross_eval.training.card import TrainingCard, as_options
from egocross_eval.training.checkpoint_comparison import spec_of
from egocross_eval.training.checkpoint_doctor import Diagnosis
from egocross_eval.training.example_checks import Finding
from egocross_eval.training.output_files import Written
from egocross_eval.training.parity import Parity
from egocross_eval.training.train import Trained, Watcher
from egocross_eval.training.trainer_process import Step
from egocross_eval.visible import rich_console

if TYPE_CHECKING:
    from egocross_eval.training.planning import TrainPlan


CHANCE_LOSS = math.log(4) / 3
"""Loss of a model that knows all but the letter: of the three tokens learnt two are always the same."""


class TrainedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A training that is done."""

    model: Path
    """The checkpoint or adapter."""
    spec: str
    """Model spec to evaluate it by."""
    options: list[str]
    """Options of a run that shows questions as they were trained."""
    card: TrainingCard
    resumed_from: int
    """Step that was gone on from; 0: from the start."""


class PreparedData(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset and a configuration, without a training."""

    examples: int
    held_out: int
    findings: list[Finding]
    written: Written | None = None
    """None where a finding is an error."""
    parity: Parity | None = None
    """The comparison of tokens with evaluation's; None where it wasn't made."""


class ExaminedCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of a checkpoint."""

    checkpoint: Path
    diagnoses: list[Diagnosis]
    answer: str
    """The letter to a question about a picture, in words; empty where it wasn't asked."""


class RecipeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe of the package."""

    name: str
    description: str


def trained_model(done: Trained) -> TrainedModel:
    """For programs."""
    card = done.card
    spec, options = spec_of("hf", card, done.model), as_options(card.prompt)
    return TrainedModel(model=done.model, spec=spec, options=options, card=card, resumed_from=done.resumed_from)


def print_findings(findings: Iterable[Finding]) -> None:
    """One line each, on the error stream."""
    for finding in findings:
        click.echo(f"{finding.level}: {finding.message}", err=True)


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
            self.say(f"training: {counted(total, 'step')}")

    def step(self, step: Step) -> None:
        """Moves the bar."""
        loss = "" if step.loss is None else f"loss {step.loss:.4f}"
        rate = "" if step.lr is None else f"  lr {step.lr:.2e}"
        self._bar.update(self._task, completed=step.current_steps, total=step.total_steps, figures=loss + rate)
        # A log of at most some hundred lines, however long the training.
        told = step.current_steps % max(1, step.total_steps // 100) == 0 or step.current_steps == step.total_steps
        if told and not self._console.is_terminal:
            self.say(f"step {step.current_steps}/{step.total_steps}  {loss}{rate}  {step.remaining_time} left")

    def stop(self) -> None:
        """Leaves the bar as it is."""
        self._bar.stop()


def print_result(done: TrainedModel, plan: TrainPlan) -> None:
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
    click.echo(f"evaluate    egocross-eval --model {shlex.quote(done.spec)} {_roots(plan)}{shlex.join(done.options)}")


def print_written(written: Written, done: PreparedData) -> None:
    """What lies where."""
    click.echo(f"dataset        {written.config.parent / 'data'}: {counted(done.examples, 'example')}")
    click.echo(f"configuration  {written.config}")
    if written.holdout is not None:
        click.echo(f"held out       {written.holdout}: {counted(done.held_out, 'example')}")
    if written.copied:
        click.echo(f"frames         {written.copied} copied in the size that evaluation shows")


def _roots(plan: TrainPlan) -> str:
    """The data roots as options."""
    roots = parted_paths(plan.options.data) if plan.options.data is not None else ()
    return "".join(f"--data {shlex.quote(str(root))} " for root in roots)
