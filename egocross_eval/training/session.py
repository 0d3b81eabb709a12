"""A training from its plan to a checkpoint with its card; the same plan again goes on where it was."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval import __version__
from egocross_eval.errors import DataError, RunError, UsageError
from egocross_eval.runs.plan import utc_now
from egocross_eval.training.card import CARD_VERSION, TrainingCard, read_card, write_card
from egocross_eval.training.environment import Say, TrainingEnvironment, process_environment
from egocross_eval.training.launching import command
from egocross_eval.training.parity import Parity, compare_tokens, refuse_difference
from egocross_eval.training.plan import CONFIG_NAME, TrainPlan, base_revision, identity, write_files
from egocross_eval.training.process import Step, read_steps, run
from egocross_eval.training.recipes import check_arguments, known_arguments

STATE_NAME = "training.json"

LOG_NAME = "log.txt"

PATIENCE = 1800.0
"""Seconds that a node waits for node 0, which compares tokens and may build the training environment."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """`training.json` in the output folder: what the folder is for, and what is known so far."""

    identity: str
    command: list[str]
    hashes: dict[str, str] = {}
    parity: str = ""
    seconds: float = 0.0
    """Time spent in LLaMA-Factory by earlier calls."""


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
    state = _open(plan, output) if first else _wait_for_first_node(plan, output, watcher.say)
    model = output / "model"
    finished = read_card(model)
    if finished is not None:
        watcher.say(f"{model} is finished: nothing to train")
        return Trained(model=model, card=finished, resumed_from=finished.steps)
    if first:
        state = _prepare(plan, environment, state, watcher.say, allow_difference)
    resumed = drop_torn_checkpoints(model, watcher.say) if first else 0
    if not _is_trained(model, plan.steps):
        _run(plan, environment, state, watcher, resumed)
        state = _read_state(output)
    card = _card(plan, environment, state, model)
    if first:
        write_card(model, card)
    return Trained(model=model, card=card, resumed_from=resumed)


def _prepare(plan: TrainPlan, environment: TrainingEnvironment, state: State, say: Say, allowed: bool) -> State:
    """Compares tokens and writes what LLaMA-Factory reads; the state with what came of it, which is saved last."""
    parity = _parity(plan, environment, state, say, allowed)
    say("writing the dataset")
    written = write_files(plan)
    if written.copied:
        say(f"{written.copied} frames were copied in the size that evaluation shows")
    state = msgspec.structs.replace(
        state, hashes=written.hashes, parity=parity, command=command(environment, plan.launch, written.config)
    )
    _save(plan.options.output.resolve(), state)
    return state


def _wait_for_first_node(plan: TrainPlan, output: Path, say: Say) -> State:
    """The state of node 0, once it has written the dataset: nodes that write the same files get in each other's way.

    Raises `RunError` where it doesn't come, and `UsageError` where node 0 trains something else.
    """
    say(f"waiting for node 0 to write {output}")
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        if (output / STATE_NAME).is_file():
            state = _read_state(output)
            if state.identity != identity(plan):
                raise UsageError(
                    f"{output} holds another training than this node's: start the same command on all nodes, with "
                    f"their own --node-rank"
                )
            if state.hashes:
                return state
        time.sleep(1.0)
    raise RunError(
        f"node 0 wrote nothing into {output} for {PATIENCE / 60:.0f} minutes: is it running, and is that a folder "
        f"which all nodes share?"
    )


def _run(plan: TrainPlan, environment: TrainingEnvironment, state: State, watcher: Watcher, resumed: int) -> None:
    """Runs LLaMA-Factory and adds the time it took to the state, however it ends."""
    output = plan.options.output.resolve()
    model = output / "model"
    started = time.monotonic()
    watcher.start(plan.steps, resumed)
    try:
        run(
            command(environment, plan.launch, output / CONFIG_NAME),
            environment={**process_environment(environment), **_variables(plan)},
            folder=model,
            log=output / (LOG_NAME if plan.launch.rank == 0 else f"log-node{plan.launch.rank}.txt"),
            on_step=watcher.step,
        )
    finally:
        watcher.stop()
        if plan.launch.rank == 0:
            _save(output, msgspec.structs.replace(state, seconds=state.seconds + time.monotonic() - started))


def _is_trained(model: Path, steps: int) -> bool:
    """Whether an earlier call trained to the end and was stopped before it wrote the card."""
    return _steps_done(model) >= steps and any(model.glob("*.safetensors"))


def _variables(plan: TrainPlan) -> dict[str, str]:
    variables = {"DISABLE_VERSION_CHECK": "0", "WANDB_DISABLED": "true", "LLAMAFACTORY_VERBOSITY": "INFO"}
    if plan.launch.gpus == 0:
        variables["CUDA_VISIBLE_DEVICES"] = ""
        # Several processes would each be given a numbered CPU, which checkpoints can't be loaded onto.
        variables["ACCELERATE_TORCH_DEVICE"] = "cpu"
        # One core is left for loading frames.
        variables["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 2) - 1)))
    else:
        variables["PYTORCH_CUDA_ALLOC_CONF"] = "expandable_segments:True"
    return variables


def _open(plan: TrainPlan, output: Path) -> State:
    path = output / STATE_NAME
    mine = identity(plan)
    if path.is_file():
        state = _read_state(output)
        if state.identity != mine:
            raise UsageError(
                f"{output} holds a training with another base, recipe, data or prompt; choose another --output, or "
                f"remove it"
            )
        return state
    if output.is_dir() and any(output.iterdir()):
        raise UsageError(f"{output} is not empty and holds no training; choose another --output")
    output.mkdir(parents=True, exist_ok=True)
    state = State(identity=mine, command=[])
    _save(output, state)
    return state


def _read_state(output: Path) -> State:
    return msgspec.json.decode((output / STATE_NAME).read_bytes(), type=State)


def _save(output: Path, state: State) -> None:
    half = output / f".{STATE_NAME}.tmp"
    half.write_bytes(msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n")
    half.replace(output / STATE_NAME)


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


def drop_torn_checkpoints(model: Path, say: Say) -> int:
    """Removes checkpoints that weren't written to the end; returns the step of the last whole one, 0 without any."""
    last = 0
    for folder in sorted(model.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2])):
        if is_whole(folder):
            last = int(folder.name.rpartition("-")[2])
        else:
            say(f"{folder.name} was not written to its end; it is removed")
            shutil.rmtree(folder)
    if last:
        say(f"going on from step {last}")
    return last


def is_whole(folder: Path) -> bool:
    """Whether a trainer's checkpoint can be gone on from: its state, written last, is there and complete."""
    try:
        state = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    weights = list(folder.glob("*.safetensors")) + list(folder.glob("global_step*"))
    return bool(weights) and isinstance(state, dict) and "global_step" in state


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
        evaluation=plan.evaluation,
        examples=len(plan.examples.train),
        held_out=len(plan.examples.holdout),
        domains=list(dict.fromkeys(question.domain for question in plan.examples.train)),
        curriculum=msgspec.to_builtins(plan.options.curriculum),
        data_hashes=state.hashes,
        parity=state.parity,
        steps=_steps_done(model) or plan.steps,
        seconds=round(state.seconds, 1),
        loss=[(step.current_steps, step.loss or 0.0) for step in steps],
        versions={"egocross-eval": __version__, **environment.versions},
    )


def _steps_done(model: Path) -> int:
    """Steps by the trainer's own final state."""
    try:
        state = json.loads((model / "trainer_state.json").read_text(encoding="utf-8"))
        return int(state["global_step"])
    except (OSError, ValueError, KeyError):
        return 0
