"""Trainings of several processes: nodes that meet, and none left behind by Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ports import free_port
from trainings import CHANGES, command, kill_tree, naming, options
from until import until

from egocross_eval.contracts.registry import registry
from egocross_eval.training.card import read_card
from egocross_eval.training.environment import TrainingEnvironment
from egocross_eval.training.planning import plan_training
from egocross_eval.training.trainer_checkpoints import is_whole

pytestmark = [pytest.mark.slow, pytest.mark.training]


Nodes = list[subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Callable[[list[str]], Nodes]]:
    """Starts a command as two nodes of one training, node 1 first. They train on the CPU and talk by gloo."""
    started: Nodes = []

    def start(words: list[str]) -> Nodes:
        address = f"127.0.0.1:{free_port()}"
        variables = {**os.environ, "OMP_NUM_THREADS": "1"}
        for rank in (1, 0):
            mine = [*words, "--nodes", "2", "--node-rank", str(rank), "--address", address]
            started.append(
                subprocess.Popen(
                    mine,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                    env=variables,
                    start_new_session=True,
                )
            )
        return started[-2:]

    yield start
    for node in started:
        if node.poll() is None:
            kill_tree(node.pid)
            node.wait()


def test_two_nodes_train_one_model_and_ctrl_c_leaves_no_process(
    environment: TrainingEnvironment,
    base: Path,
    bench: Path,
    tmp_path: Path,
    start: Callable[[list[str]], Nodes],
) -> None:
    output = tmp_path / "out"
    model = output / "model"
    changes = ("num_train_epochs=12", "save_strategy=steps", "save_steps=5")
    words = command(base, bench, output, environment.python)
    for change in changes:
        words += ["--set", change]
    chosen = options(base, bench, output, nodes=2, address="127.0.0.1:29500", changes=(*CHANGES, *changes))
    plan = plan_training(chosen, registry())
    assert plan.steps == 60

    started = start(words)
    until(lambda: is_whole(model / "checkpoint-5"), *started)
    own = [node.pid for node in started]
    assert len([pid for pid in naming(str(output)) if pid not in own]) >= 4, "two agents and their workers"
    # Ctrl-C reaches the command; its workers are in sessions of their own.
    for node in started:
        node.send_signal(signal.SIGINT)
    said = [node.communicate(timeout=120)[1] for node in started]
    assert [node.returncode for node in started] == [130, 130], said
    until(lambda: not naming(str(output)))
    assert read_card(model) is None

    started = start(words)
    said = [node.communicate(timeout=900)[1] for node in started]
    assert [node.returncode for node in started] == [0, 0], said
    assert "waiting for node 0" in said[0]
    assert "going on from step" in said[1]
    card = read_card(model)
    assert card is not None
    assert card.steps == plan.steps
    assert (card.launch["nodes"], card.launch["rank"]) == (2, 0)
    assert [step for step, _ in card.loss] == list(range(1, 61))
    assert card.loss[-1][1] < card.loss[0][1]
