"""The real support set with stand-in frames: prepared for all domains, and steps as the trainer itself counts them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner
from trainings import shown

from egocross_eval.cli.verbs.train import command
from egocross_eval.contracts.registry import registry
from egocross_eval.tasks.egocross.catalogue import DOMAINS
from egocross_eval.training.environment import TrainingEnvironment
from egocross_eval.training.environment_jobs import process_environment
from egocross_eval.training.options import TrainOptions
from egocross_eval.training.output_files import write_files
from egocross_eval.training.parity import compare_tokens, refuse_difference
from egocross_eval.training.planning import plan_training
from egocross_eval.training.recipes import Launch
from egocross_eval.training.train import train
from egocross_eval.training.trainer_command import command as launch_command
from egocross_eval.training.trainer_process import read_steps, run

pytestmark = [pytest.mark.slow, pytest.mark.training]

SIZES = {
    "CholecTrack20": (854, 480),
    "EgoPet": (640, 360),
    "EgoSurgery": (960, 540),
    "ENIGMA": (1280, 720),
    "ExtrameSportFPV": (1280, 720),
}
"""Width and height of a dataset's frames."""

SMALL = {"frames": "uniform:1", "max_pixels": 4096}
"""How examples are shown where only steps are counted."""


@pytest.fixture(scope="module")
def real_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with the real support set; a picture of its dataset's size stands in for each of its frames."""
    from PIL import Image

    source = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "support_set" / "train.json"
    if not source.is_file():
        pytest.skip("the real support set is not here")
    root = tmp_path_factory.mktemp("real")
    folder = root / "egocross_support_set"
    folder.mkdir()
    (folder / "train.json").write_bytes(source.read_bytes())
    rng = random.Random(0)
    pictures: dict[str, Path] = {}
    for item in json.loads(source.read_bytes()):
        for name in item["images"]:
            dataset = next(key for key in SIZES if f"/{key}/" in name)
            if dataset not in pictures:
                pictures[dataset] = root / f"{dataset}.jpg"
                noise = Image.frombytes("RGB", (16, 9), rng.randbytes(16 * 9 * 3))
                noise.resize(SIZES[dataset], Image.Resampling.BICUBIC).save(pictures[dataset])
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                target.hardlink_to(pictures[dataset])
    return root


def options(base: Path, root: Path, output: Path, **changes: object) -> TrainOptions:
    chosen = TrainOptions(model=str(base), data=root, output=output, gpus=0)
    return shown(chosen, **changes)


def dry_run(chosen: TrainOptions, *words: str) -> str:
    common = ["--model", chosen.model, "--data", str(chosen.data), "--output", str(chosen.output), "--dry-run"]
    result = CliRunner().invoke(command, [*common, *words], standalone_mode=False)
    assert result.exception is None, result.exception
    return result.output


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_is_prepared_and_its_tokens_are_evaluations(
    environment: TrainingEnvironment, base: Path, real_set: Path, tmp_path: Path, domain: str
) -> None:
    """At the published pixel cap; surgery has examples of 135 frames."""
    plan = plan_training(options(base, real_set, tmp_path / "out", domains=(domain,)), registry())
    assert plan.errors == []
    assert len(plan.trained) == 20
    clips = [finding.message for finding in plan.findings if finding.check == "clips"]
    assert [message.startswith("2 examples carry") for message in clips] == ([True] if domain == "industry" else [])
    (tmp_path / "out").mkdir()
    written = write_files(plan)
    items = json.loads((written.config.parent / "data" / "egocross.json").read_bytes())
    assert all(Path(path).is_file() for item in items for path in item["images"])
    parity = compare_tokens(plan, environment)
    refuse_difference(parity, plan)
    assert parity.summary == "equal in all 20 examples compared"
    assert not [finding for finding in parity.findings if finding.level == "error"]


def test_published_full_makes_as_many_steps_on_four_processes_as_a_dry_run_shows(
    environment: TrainingEnvironment, base: Path, real_set: Path, tmp_path: Path
) -> None:
    """Four processes on the CPU stand for four GPUs: batches are dealt out and counted by the same code."""
    output = tmp_path / "out"
    assert "steps       6 optimizer steps in 2.0 epochs" in dry_run(
        options(base, real_set, output), "--recipe", "published-full", "--gpus", "4"
    )
    chosen = options(
        base, real_set, output, recipe="published-full", gpus=0, nodes=4, address="10.0.0.1:29500", **SMALL
    )
    plan = plan_training(chosen, registry())
    output.mkdir()
    written = write_files(plan)
    run(
        launch_command(environment, Launch(gpus=4), written.config),
        environment={**process_environment(environment), "OMP_NUM_THREADS": "1"},
        folder=output / "model",
        log=output / "log.txt",
    )
    counted = json.loads((output / "model" / "trainer_state.json").read_bytes())
    assert counted["global_step"] == counted["max_steps"] == plan.steps == 6


def test_published_lora_makes_as_many_steps_as_a_dry_run_shows(
    environment: TrainingEnvironment, base: Path, real_set: Path, tmp_path: Path
) -> None:
    chosen = options(base, real_set, tmp_path / "out", recipe="published-lora", **SMALL)
    assert "steps       20 optimizer steps in 2.0 epochs" in dry_run(chosen, "--recipe", "published-lora")
    plan = plan_training(chosen, registry())
    done = train(plan, environment, allow_difference=True)
    counted = json.loads((done.model / "trainer_state.json").read_bytes())
    assert counted["global_step"] == counted["max_steps"] == plan.steps == done.card.steps == 20
    # It is trained as printed only because that was asked for, and the card says so.
    assert done.card.parity == "different in 80 of 80 examples compared"
    assert [step for step in read_steps(done.model) if step.total_steps != 20] == []
