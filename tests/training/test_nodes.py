"""Nodes of a training: what the others make of what node 0 has written."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from training_files import four_videos, write_base, write_support

from egocross_eval.contracts.registry import registry
from egocross_eval.errors import RunError, UsageError
from egocross_eval.training import output_folder
from egocross_eval.training import train as train_module
from egocross_eval.training.environment import TrainingEnvironment
from egocross_eval.training.options import TrainOptions
from egocross_eval.training.output_files import identity
from egocross_eval.training.planning import TrainPlan, plan_training

ENVIRONMENT = TrainingEnvironment(python=Path("/env/bin/python"), origin="named", versions={})


@pytest.fixture
def second_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainPlan:
    """The plan of node 1; whether LLaMA-Factory knows its arguments isn't asked here."""
    monkeypatch.setattr(train_module, "known_arguments", lambda environment: [])
    monkeypatch.setattr(train_module, "check_arguments", lambda arguments, known, place: None)
    root = write_support(tmp_path / "data", four_videos())
    model = write_base(tmp_path / "base")
    chosen = TrainOptions(model=str(model), data=root, output=tmp_path / "out", gpus=1, nodes=2, rank=1)
    return plan_training(chosen, registry())


def write_state(plan: TrainPlan, **changes: object) -> None:
    plan.options.output.mkdir()
    state = output_folder.State(identity=identity(plan), command=[])
    content = msgspec.json.encode(msgspec.structs.replace(state, **changes))
    (plan.options.output / output_folder.STATE_NAME).write_bytes(content)


def test_a_node_that_never_sees_node_0_says_what_to_look_at(
    second_node: TrainPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output_folder, "PATIENCE", 0.0)
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


@pytest.mark.parametrize(("installed", "told"), [({}, True), ({"flash_attn": "2.8"}, False)])
def test_flash_attention_that_is_not_installed_is_remarked_on(
    second_node: TrainPlan, monkeypatch: pytest.MonkeyPatch, installed: dict[str, str], told: bool
) -> None:
    class Told(train_module.Watcher):
        words = ""

        def say(self, text: str) -> None:
            self.words += text

    plan = plan_training(msgspec.structs.replace(second_node.options, changes=("flash_attn=fa2",)), registry())
    write_state(plan, hashes={"egocross.json": "00"})
    monkeypatch.setattr(train_module, "run", lambda command, **rest: None)
    watcher = Told()
    train_module.train(plan, msgspec.structs.replace(ENVIRONMENT, versions=installed), watcher=watcher)
    assert ("goes on with torch's own" in watcher.words) == told


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
