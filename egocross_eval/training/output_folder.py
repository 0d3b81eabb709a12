"""The output folder's record of what it is for, and how nodes that share the folder wait for the first."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from egocross_eval.documents import read_json
from egocross_eval.errors import UsageError
from egocross_eval.files import holds_nothing, write_file
from egocross_eval.training.environment import Say
from egocross_eval.training.output_files import identity
from egocross_eval.training.planning import TrainPlan
from egocross_eval.training.waiting import Waiting

STATE_NAME = "training.json"


class State(msgspec.Struct, frozen=True, kw_only=True):
    """`training.json` in the output folder: what the folder is for, and what is known so far."""

    identity: str
    command: list[str]
    hashes: dict[str, str] = {}
    parity: str = ""
    seconds: float = 0.0
    """Time spent in LLaMA-Factory by earlier calls."""


def wait_for_first_node(plan: TrainPlan, output: Path, say: Say) -> State:
    """The state of node 0, once it has written the dataset: nodes that write the same files get in each other's way.

    Raises `RunError` where it doesn't come, and `UsageError` where node 0 trains something else.
    """
    waiting = Waiting(f"node 0 to write {output}", "is it running, and is that a folder which all nodes share?", say)
    while True:
        if (output / STATE_NAME).is_file():
            state = read_state(output)
            if state.identity != identity(plan):
                raise UsageError(
                    f"{output} holds another training than this node's: start the same command on all nodes, with "
                    f"their own --node-rank"
                )
            if state.hashes:
                return state
        waiting.look()
        time.sleep(1.0)


def open_output(plan: TrainPlan, output: Path) -> State:
    """The state of the output folder, which is made where it's absent.

    Raises `UsageError` where the folder holds something else than this training.
    """
    path = output / STATE_NAME
    mine = identity(plan)
    if path.is_file():
        state = read_state(output)
        if state.identity != mine:
            raise UsageError(
                f"{output} holds a training with another base, recipe, data or prompt; choose another --output, or "
                f"remove it"
            )
        return state
    if not holds_nothing(output):
        raise UsageError(f"{output} is not empty and holds no training; choose another --output")
    output.mkdir(parents=True, exist_ok=True)
    state = State(identity=mine, command=[])
    save_state(output, state)
    return state


def read_state(output: Path) -> State:
    """What `training.json` says."""
    return read_json(output / STATE_NAME, State)


def save_state(output: Path, state: State) -> None:
    """Writes `training.json` as a whole."""
    write_file(output / STATE_NAME, msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n")
