"""Nodes of a training: what the others make of what node 0 has written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from training_files import four_videos, write_base, write_support

from egocross_eval.contracts.registry import registry
from egocross_eval.errors import RunError, UsageError
from egocross_eval.runs.locks import acquire
from egocross_eval.training import output_folder, trainer_process, waiting
from egocross_eval.training import train as train_module
from egocross_eval.training.environment import TrainingEnvironment
from egocross_eval.training.inside.start_trainer import STARTED
from egocross_eval.training.options import TrainOptions
from egocross_eval.training.output_files import identity
from egocross_eval.training.planning import TrainPlan, plan_training, settle_recipe
from egocross_eval.training.trainer_process import WORK, NewSteps, Step, run

ENVIRONMENT = TrainingEnvironment(python=Path("/env/bin/python"), origin="named", versions={})


@pytest.fixture
def second_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainPlan:
    """The plan of node 1; whether LLaMA-Factory knows its arguments isn't asked here."""
    monkeypatch.setattr(train_module, "known_arguments", lambda environment: [])
    monkeypatch.setattr(train_module, "check_arguments", lambda arguments, known, place: None)
    root = write_support(tmp_path / "data", four_videos())
    model = write_base(tmp_path / "base")
    chosen = TrainOptions(
        model=str(model), data=root, output=tmp_path / "out", gpus=1, nodes=2, rank=1, address="10.0.0.1:29500"
    )
    return plan_training(chosen, registry())


def write_state(plan: TrainPlan, **changes: object) -> None:
    plan.options.output.mkdir()
    state = output_folder.State(identity=identity(plan), command=[])
    content = msgspec.json.encode(msgspec.structs.replace(state, **changes))
    (plan.options.output / output_folder.STATE_NAME).write_bytes(content)


def test_a_node_that_never_sees_node_0_says_what_to_look_at(
    second_node: TrainPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "PATIENCE", 0.0)
    with pytest.raises(RunError, match="a folder which all nodes share"):
        train_module.train(second_node, ENVIRONMENT)
    assert not second_node.options.output.exists()


def test_a_node_waits_until_the_dataset_is_written(second_node: TrainPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    write_state(second_node)
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) > 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("egocross_eval.training.output_folder.time.sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        train_module.train(second_node, ENVIRONMENT)


def test_a_node_with_another_training_than_node_0_is_refused(second_node: TrainPlan) -> None:
    write_state(second_node, identity="another")
    with pytest.raises(UsageError, match="start the same command on all nodes"):
        train_module.train(second_node, ENVIRONMENT)


def test_a_node_trains_what_node_0_has_written_and_writes_nothing_of_its_own(
    second_node: TrainPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_state(second_node, hashes={"egocross.json": "00"}, parity="equal in all 20 examples compared")
    started: list[list[str]] = []
    monkeypatch.setattr(train_module, "run", lambda command, **rest: started.append(command))
    train_module.train(second_node, ENVIRONMENT)
    (command,) = started
    assert "--node_rank=1" in command
    assert command[-1] == str(second_node.options.output.resolve() / "config.yaml")
    assert [path.name for path in second_node.options.output.iterdir()] == [output_folder.STATE_NAME]


@pytest.mark.parametrize("report", ["none", "wandb"])
def test_weights_and_biases_is_switched_off_just_where_nothing_is_reported(
    second_node: TrainPlan, monkeypatch: pytest.MonkeyPatch, report: str
) -> None:
    plan = plan_training(msgspec.structs.replace(second_node.options, changes=(f"report_to={report}",)), registry())
    write_state(plan, hashes={"egocross.json": "00"})
    given: list[dict[str, str]] = []
    monkeypatch.delenv("WANDB_DISABLED", raising=False)
    monkeypatch.setattr(train_module, "run", lambda command, environment, **rest: given.append(environment))
    train_module.train(plan, ENVIRONMENT)
    assert plan.config["report_to"] == report
    assert given[0].get("WANDB_DISABLED") == ("true" if report == "none" else None)


def test_node_0_that_goes_on_lets_others_go_once_torn_checkpoints_are_gone(
    second_node: TrainPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_state(second_node, hashes={"egocross.json": "00"})
    output = second_node.options.output
    torn = output / "model" / "checkpoint-5"
    torn.mkdir(parents=True)
    first_node = msgspec.structs.replace(second_node, launch=msgspec.structs.replace(second_node.launch, rank=0))
    seen: list[tuple[dict[str, str], bool]] = []

    def prepare(plan: object, environment: object, state: output_folder.State, *rest: object) -> output_folder.State:
        seen.append((output_folder.read_state(output).hashes, torn.exists()))
        output_folder.save_state(output, msgspec.structs.replace(state, hashes={"egocross.json": "11"}))
        raise KeyboardInterrupt

    monkeypatch.setattr(train_module, "_prepare", prepare)
    with pytest.raises(KeyboardInterrupt):
        train_module.train(first_node, ENVIRONMENT)
    assert seen == [({}, False)]


def test_a_wait_says_each_minute_for_what_and_how_long_and_ends_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr("egocross_eval.training.waiting.time.monotonic", lambda: now)
    said: list[str] = []
    wait = waiting.Waiting("node 0 to write /shared/out", "is it running?", said.append)
    for now in range(0, 130, 5):  # noqa: B007 - the clock reads it
        wait.look()
    assert said == [
        "waiting for node 0 to write /shared/out, 30 minutes at most",
        "still waiting for node 0 to write /shared/out: 1 of 30 minutes",
        "still waiting for node 0 to write /shared/out: 2 of 30 minutes",
    ]
    now = 1800.0
    with pytest.raises(RunError, match=r"node 0 to write /shared/out, 30 minutes in vain: is it running\?"):
        wait.look()


def test_a_node_that_no_other_joins_says_so_and_ends(second_node: TrainPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    """The start-up of a worker is what shows that all have met, and this trainer never starts one."""
    write_state(second_node, hashes={"egocross.json": "00"})
    sleeping = [sys.executable, "-c", "import time; time.sleep(600)"]
    monkeypatch.setattr(train_module, "command", lambda *rest: sleeping)
    monkeypatch.setattr(waiting, "PATIENCE", 0.3)
    with pytest.raises(RunError, match=r"2 nodes to meet at 10.0.0.1:29500; this one is --node-rank 1(.|\n)*others"):
        train_module.train(second_node, ENVIRONMENT)


@pytest.fixture
def meeting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A trainer that says that nodes have met, and works until its log was looked at three times after that."""
    end, log, looks = tmp_path / "end", tmp_path / "log", []
    look = NewSteps.__call__

    def looked(self: NewSteps) -> list[Step]:
        looks.append(log.read_text(encoding="utf-8") if log.exists() else "")
        if sum(STARTED in text for text in looks) > 3:
            end.touch()
        return look(self)

    monkeypatch.setattr(NewSteps, "__call__", looked)
    working = f"while not pathlib.Path({str(end)!r}).exists(): time.sleep(0.01)"
    return [sys.executable, "-c", f"import pathlib, time\nprint({STARTED!r}, flush=True)\n{working}"]


def test_nodes_that_have_met_are_waited_for_no_longer(tmp_path: Path, meeting: list[str]) -> None:
    log = tmp_path / "log"
    late: list[str] = []

    class Watched(waiting.Waiting):
        def look(self) -> None:
            late.extend(line for line in log.read_text(encoding="utf-8").splitlines() if line == STARTED)

    run(meeting, environment={}, folder=tmp_path, log=log, waiting=Watched("nodes", "", lambda line: None))
    assert log.read_text(encoding="utf-8").strip() == STARTED
    # The line may be written in the instant between the two readings of the log.
    assert len(late) <= 1


def test_the_log_is_read_no_more_once_nodes_have_met(
    tmp_path: Path, meeting: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It grows for days, and would be read whole at every look."""
    readings: list[str] = []
    read = trainer_process._written

    def counted(log: Path, start: int) -> str:
        readings.append(read(log, start))
        return readings[-1]

    monkeypatch.setattr(trainer_process, "_written", counted)
    nodes = waiting.Waiting("nodes", "", lambda line: None)
    run(meeting, environment={}, folder=tmp_path, log=tmp_path / "log", waiting=nodes)
    assert [STARTED in text for text in readings] == [False] * (len(readings) - 1) + [True]


def test_nodes_need_an_address_and_one_of_this_machine_is_remarked_on(second_node: TrainPlan) -> None:
    def plan(**changes: object) -> TrainPlan:
        return plan_training(msgspec.structs.replace(second_node.options, **changes), registry())

    with pytest.raises(UsageError, match="--nodes 2 needs --address HOST:PORT"):
        plan(address=None)
    told = [[f.message for f in plan(address=at).findings if f.check == "address"] for at in LOCAL]
    assert all("only nodes on this one machine" in message for (message,) in told)
    assert not [f for f in second_node.findings if f.check == "address"]


LOCAL = ("127.0.0.1:29500", "localhost:29500", "[::1]:29500", "0.0.0.0:29500")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rank": 2}, "--node-rank 2: nodes are counted from 0 to 1"),
        ({"rank": -1}, "--node-rank -1"),
        ({"nodes": 1}, "--node-rank 1: nodes are counted by 0 alone"),
        ({"nodes": 0, "rank": 0}, "--nodes 0: 1 or more"),
        ({"gpus": -1}, "--gpus -1: 0 or more"),
        ({"address": "10.0.0.1"}, "write HOST:PORT"),
        ({"address": "10.0.0.1:99999"}, "write HOST:PORT"),
    ],
)
def test_what_cannot_be_launched_is_refused_before_anything_is_read(
    second_node: TrainPlan, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        settle_recipe(msgspec.structs.replace(second_node.options, **changes))


def test_two_commands_do_not_train_in_one_folder_and_the_second_says_which_is_at_work(second_node: TrainPlan) -> None:
    write_state(second_node)
    first_node = msgspec.structs.replace(second_node, launch=msgspec.structs.replace(second_node.launch, rank=0))
    output = second_node.options.output
    variables = {**os.environ, WORK: f"{output.resolve()} (node 0)"}
    trainer = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], env=variables)
    try:
        with (
            acquire(output / train_module.LOCK_NAME),
            pytest.raises(UsageError, match=r"another process is at work on .*out"),
        ):
            train_module.train(first_node, ENVIRONMENT)
        with pytest.raises(UsageError, match=f"a call that was killed is still at work .*kill {trainer.pid}"):
            train_module.train(first_node, ENVIRONMENT)
    finally:
        trainer.kill()
        trainer.wait()
