"""A training from its plan to a checkpoint with its card; the same plan again goes on where it was."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.counted import agreed, counted
from egocross_eval.errors import DataError, RunError
from egocross_eval.runs.decide import utc_now
from egocross_eval.runs.locks import acquire
from egocross_eval.training.card import CARD_VERSION, TrainingCard, read_card
from egocross_eval.training.card_files import write_card
from egocross_eval.training.checkpoint_doctor import examine
from egocross_eval.training.environment import Say, TrainingEnvironment
from egocross_eval.training.environment_jobs import process_environment
from egocross_eval.training.output_files import CONFIG_NAME, base_revision, write_files
from egocross_eval.training.output_folder import State, open_output, read_state, save_state, wait_for_first_node
from egocross_eval.training.parity import Parity, compare_tokens, refuse_difference
from egocross_eval.training.planning import TrainPlan
from egocross_eval.training.recipes import Launch
from egocross_eval.training.trainer_arguments import check_arguments, known_arguments
from egocross_eval.training.trainer_checkpoints import (
    drop_resume_checkpoints,
    drop_torn_checkpoints,
    is_trained,
    steps_done,
)
from egocross_eval.training.trainer_command import command
from egocross_eval.training.trainer_process import Step, read_steps, refuse_trainers_of, run
from egocross_eval.training.trainer_variables import trainer_variables
from egocross_eval.training.waiting import Waiting
from egocross_eval.version import __version__

LOG_NAME = "log.txt"

LOCK_NAME = ".lock"
"""In the output folder: held by the command that is at work there."""


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """What came out."""

    model: Path
    """The checkpoint or adapter, with its card."""
    card: TrainingCard
    resumed_from: int
    """Step that was gone on from; 0: from the start."""


class Watcher:
    """What is told how far a training is; this one shows nothing."""

    def say(self, text: str) -> None:
        """Something that takes long begins, or something worth knowing."""

    def start(self, total: int, done: int) -> None:
        """Training begins with `done` of `total` steps behind it."""

    def step(self, step: Step) -> None:
        """A step was logged."""

    def stop(self) -> None:
        """Training ended, in whatever way."""


def train(
    plan: TrainPlan,
    environment: TrainingEnvironment,
    *,
    watcher: Watcher | None = None,
    allow_difference: bool = False,
) -> Trained:
    """Checks, writes, compares tokens, trains and writes the card. A finished output folder is left as it is.

    Raises `DataError` where a check failed, `UsageError` where the tokens differ (unless `allow_difference`) or the
    folder is another training's, and `RunError` where LLaMA-Factory fails.
    """
    watcher = watcher or Watcher()
    output = plan.options.output.resolve()
    if plan.errors:
        raise DataError("\n".join(finding.message for finding in plan.errors))
    check_arguments(plan.recipe.arguments, known_arguments(environment), f"recipe {plan.recipe.name}")
    first = plan.launch.rank == 0
    state = open_output(plan, output) if first else wait_for_first_node(plan, output, watcher.say)
    model = output / "model"
    finished = read_card(model)
    if finished is not None:
        watcher.say(f"{model} is finished: nothing to train")
        return Trained(model=model, card=finished, resumed_from=finished.steps)
    # One command at a time: two would remove and write each other's checkpoints.
    with acquire(output / LOCK_NAME) if first else contextlib.nullcontext():
        refuse_trainers_of(_work(plan))
        resumed = _trained(plan, environment, state, watcher, allow_difference)
        card = _card(plan, environment, read_state(output), model)
        if first:
            _put_right(plan, card.kind, model, watcher.say)
            write_card(model, card)
            drop_resume_checkpoints(model, plan.recipe.arguments, watcher.say)
    return Trained(model=model, card=card, resumed_from=resumed)


def _trained(
    plan: TrainPlan, environment: TrainingEnvironment, state: State, watcher: Watcher, allow_difference: bool
) -> int:
    """Trains to the end; returns the step that was gone on from."""
    output, resumed = plan.options.output.resolve(), 0
    model = output / "model"
    if plan.launch.rank == 0:
        if plan.launch.nodes > 1:
            # Other nodes go on once they see hashes: not those of an earlier call, before torn checkpoints are gone.
            save_state(output, msgspec.structs.replace(state, hashes={}))
        resumed = drop_torn_checkpoints(model, watcher.say)
        state = _prepare(plan, environment, state, watcher.say, allow_difference)
    if not is_trained(model, plan.steps):
        _run(plan, environment, state, watcher, resumed)
    return resumed


def _work(plan: TrainPlan) -> str:
    """What this node's trainer is at work on."""
    node = f" (node {plan.launch.rank})" if plan.launch.nodes > 1 else ""
    return f"{plan.options.output.resolve()}{node}"


def _prepare(plan: TrainPlan, environment: TrainingEnvironment, state: State, say: Say, allowed: bool) -> State:
    """Compares tokens and writes what LLaMA-Factory reads; the state with what came of it, which is saved last."""
    parity = _parity(plan, environment, state, say, allowed)
    say("writing the dataset")
    written = write_files(plan)
    if written.copied:
        say(
            f"{counted(written.copied, 'frame')} {agreed(written.copied, 'was', 'were')} copied in the size "
            "that evaluation shows"
        )
    state = msgspec.structs.replace(
        state, hashes=written.hashes, parity=parity, command=command(environment, plan.launch, written.config)
    )
    save_state(plan.options.output.resolve(), state)
    return state


def _put_right(plan: TrainPlan, kind: str, model: Path, say: Say) -> None:
    """Repairs what LLaMA-Factory's export of a whole checkpoint gets wrong, so that the doctor finds nothing."""
    if kind != "full":
        return
    for found in examine(model, plan.checkpoint.source, repair=True, keep=False):
        if found.status == "repaired":
            say(f"{found.part}: {found.message}; put right from the base")


def stop_at_no_number(watcher: Watcher) -> Callable[[Step], None]:
    """Tells the watcher of each step, and ends the training where the loss is no number, as nothing can come of it."""
    seen: list[float] = []

    def on_step(step: Step) -> None:
        watcher.step(step)
        loss = step.loss if step.loss is not None else 1.0
        if not math.isfinite(loss):
            raise RunError(
                f"the loss is no number at step {step.current_steps}: lower learning_rate, or --set bf16=true where "
                "fp16 is set; remove the output folder before training anew"
            )
        if loss == 0.0 and not seen:
            watcher.say("the very first loss is 0: nothing is learnt; look at the labels in the log")
        seen.append(loss)

    return on_step


def _run(plan: TrainPlan, environment: TrainingEnvironment, state: State, watcher: Watcher, resumed: int) -> None:
    """Runs LLaMA-Factory and adds the time it took to the state, however it ends."""
    output = plan.options.output.resolve()
    model = output / "model"
    started = time.monotonic()
    watcher.start(plan.steps, resumed)
    try:
        run(
            command(environment, plan.launch, output / CONFIG_NAME),
            environment={**process_environment(environment), **trainer_variables(plan, _work(plan))},
            folder=model,
            log=output / (LOG_NAME if plan.launch.rank == 0 else f"log-node{plan.launch.rank}.txt"),
            on_step=stop_at_no_number(watcher),
            waiting=_for_other_nodes(plan.launch, watcher.say),
        )
    finally:
        watcher.stop()
        if plan.launch.rank == 0:
            save_state(output, msgspec.structs.replace(state, seconds=state.seconds + time.monotonic() - started))


def _for_other_nodes(launch: Launch, say: Say) -> Waiting | None:
    if launch.nodes == 1:
        return None
    what = f"all of {launch.nodes} nodes to meet at {launch.address}; this one is --node-rank {launch.rank}"
    return Waiting(what, "does the same command run on the others, and do they reach that address?", say)


def _parity(
    plan: TrainPlan, environment: TrainingEnvironment, state: State, say: Callable[[str], None], allowed: bool
) -> str:
    if state.parity:
        return state.parity
    say("comparing the tokens of training and evaluation")
    parity: Parity = compare_tokens(plan, environment)
    errors = [finding.message for finding in parity.findings if finding.level == "error"]
    if errors:
        raise DataError("\n".join(errors))
    if not allowed:
        refuse_difference(parity, plan)
    say(f"tokens: {parity.summary}; the longest has {parity.longest}")
    return parity.summary


def _card(plan: TrainPlan, environment: TrainingEnvironment, state: State, model: Path) -> TrainingCard:
    steps = read_steps(model)
    arguments: dict[str, Any] = dict(plan.recipe.arguments)
    if plan.launch.gpus == 0:
        arguments |= {"bf16": False, "fp16": False}
    return TrainingCard(
        card_version=CARD_VERSION,
        created_at=utc_now(),
        base=plan.checkpoint.source,
        base_revision=base_revision(plan.checkpoint),
        kind="lora" if arguments.get("finetuning_type", "lora") == "lora" else "full",
        recipe=plan.recipe.name,
        deviations=list(plan.recipe.deviations),
        arguments=arguments,
        launch=msgspec.to_builtins(plan.launch),
        prompt=plan.prompt,
        style_hash=plan.style_hash,
        examples=len(plan.examples.train),
        held_out=len(plan.examples.holdout),
        domains=list(dict.fromkeys(question.label("domain") for question in plan.examples.train)),
        curriculum=msgspec.to_builtins(plan.options.curriculum),
        data_hashes=state.hashes,
        parity=state.parity,
        steps=steps_done(model) or plan.steps,
        seconds=round(state.seconds, 1),
        loss=[(step.current_steps, step.loss or 0.0) for step in steps],
        versions={"egocross-eval": __version__, **environment.versions},
    )
