"""Training for real on the CPU, with llamafactory: `make test-training` runs these."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
from training_files import example, write_support
from trainings import CHANGES, SHOWN, command, kill_tree, options
from until import until

from egocross_eval import RunError, UsageError, evaluate
from egocross_eval.contracts.registry import registry
from egocross_eval.training.answer_check import try_answer
from egocross_eval.training.card import read_card, warnings_for
from egocross_eval.training.checkpoint_doctor import examine
from egocross_eval.training.environment import TrainingEnvironment
from egocross_eval.training.environment_jobs import ask, process_environment
from egocross_eval.training.merging import merge
from egocross_eval.training.output_files import write_files
from egocross_eval.training.parity import compare_tokens, refuse_difference
from egocross_eval.training.planning import plan_training
from egocross_eval.training.recipes import load_recipe, recipe_names
from egocross_eval.training.train import train
from egocross_eval.training.trainer_arguments import Argument, check_arguments, known_arguments
from egocross_eval.training.trainer_checkpoints import is_whole
from egocross_eval.training.trainer_command import START
from egocross_eval.training.trainer_command import command as launch_command
from egocross_eval.training.trainer_process import read_steps, run

pytestmark = [pytest.mark.slow, pytest.mark.training]


def test_the_recipes_are_known_to_llamafactory_and_mistakes_get_suggestions(environment: TrainingEnvironment) -> None:
    known = known_arguments(environment)
    asked = msgspec.json.encode(ask(environment, "arguments", {}))
    assert known == msgspec.json.decode(asked, type=dict[str, Argument])
    for name in recipe_names():
        check_arguments(load_recipe(name).arguments, known, name)
    with pytest.raises(UsageError, match="did you mean 'lora_rank'"):
        check_arguments({"lora_ranks": 8}, known, "--set")


def test_full_fine_tuning_makes_a_checkpoint_that_evaluation_loads(
    environment: TrainingEnvironment, base: Path, bench: Path, tmp_path: Path
) -> None:
    plan = plan_training(options(base, bench, tmp_path / "out"), registry())
    done = train(plan, environment)
    card = read_card(done.model)
    assert card is not None
    assert card.parity == "equal in all 20 examples compared"
    # What the trainer itself counted is what was promised.
    assert card.steps == plan.steps == 20
    assert card.loss[-1][1] < card.loss[0][1]
    assert (done.model / "training_loss.png").is_file()
    # The doctor has nothing to say of what a training has just left.
    assert {diagnosis.status for diagnosis in examine(done.model, None, repair=False)} == {"fine"}
    assert not list(done.model.glob("checkpoint-*")) + list(done.model.glob("*.before"))
    assert "for a question of" in try_answer(done.model)
    run = evaluate(
        f"hf:{done.model}",
        "animal",
        data=bench,
        output=tmp_path / "run",
        answer="choose",
        **SHOWN,
    )
    assert run.results.complete
    assert warnings_for(done.model, run.record.settings) == []
    assert train(plan, environment).card == card


def spoilt(adapter: Path, copy: Path) -> Path:
    """A copy of an adapter, one matrix of which diverged."""
    import torch
    from safetensors.torch import load_file, save_file

    shutil.copytree(adapter, copy)
    weights = load_file(copy / "adapter_model.safetensors")
    name = min(weights)
    save_file({**weights, name: torch.full_like(weights[name], float("nan"))}, copy / "adapter_model.safetensors")
    return copy


def test_lora_trains_merges_and_both_forms_answer_alike(
    environment: TrainingEnvironment, base: Path, bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = ("cutoff_len=4096", "learning_rate=1e-2", "lora_dropout=0")
    chosen = options(base, bench, tmp_path / "out", recipe="lora", changes=changes)
    done = train(plan_training(chosen, registry()), environment)
    # As on the command line, where paths are relative.
    monkeypatch.chdir(tmp_path)
    merged = merge(done.model, Path("merged"), environment)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["merged", "out"]
    with pytest.raises(UsageError, match=r"with NaN or infinite values \(base_model"):
        merge(spoilt(done.model, tmp_path / "spoilt"), tmp_path / "never", environment, base=str(base))
    assert not [diagnosis for diagnosis in examine(merged, None, repair=True) if diagnosis.status == "broken"]
    scores = []
    for number, spec in enumerate((f"hf:{base},lora={done.model}", f"hf:{merged}", f"hf:{base}")):
        run = evaluate(
            spec,
            "animal",
            data=bench,
            output=tmp_path / f"run{number}",
            answer="choose",
            **SHOWN,
        )
        scores.append([sample.answers[0].response.scores for sample in run.samples])
    for beside, whole, untrained in zip(*scores, strict=True):
        assert beside is not None
        assert whole == pytest.approx(beside, abs=1e-3)
        assert untrained != pytest.approx(beside, abs=1e-3)


def test_a_killed_training_goes_on_from_its_last_checkpoint(
    environment: TrainingEnvironment, base: Path, bench: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    often = ["--set", "num_train_epochs=6", "--set", "save_strategy=steps", "--set", "save_steps=4"]
    words = command(base, bench, output, environment.python, *often)
    model = output / "model"
    first = subprocess.Popen(words, start_new_session=True, stderr=subprocess.PIPE)
    until(lambda: is_whole(model / "checkpoint-8"), first)
    kill_tree(first.pid)
    first.wait()
    assert read_card(model) is None
    second = subprocess.run(words, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr[-3000:]
    assert "going on from step" in second.stderr
    card = read_card(model)
    assert card is not None
    assert card.steps == 60
    assert [step for step, _ in card.loss] == list(range(1, 61))


def test_another_system_prompt_than_evaluations_is_refused(
    environment: TrainingEnvironment, base: Path, bench: Path, tmp_path: Path
) -> None:
    chosen = options(base, bench, tmp_path / "out", limit=4, changes=(*CHANGES, "default_system=You are helpful."))
    plan = plan_training(chosen, registry())
    parity = compare_tokens(plan, environment)
    assert parity.differing == 4
    with pytest.raises(UsageError, match=r"You are helpful(.|\n)*--allow-difference"):
        refuse_difference(parity, plan)


def test_a_frame_that_vanishes_is_named_with_the_remedy(
    environment: TrainingEnvironment, base: Path, tmp_path: Path
) -> None:
    root = write_support(tmp_path / "data", [example("005", n, "ABCD"[n % 4]) for n in range(4)])
    plan = plan_training(options(base, root, tmp_path / "out", frames="all"), registry())
    frame = Path(plan.trained[0].prompt.frame_paths()[0])
    backup = frame.read_bytes()
    frame.unlink()
    with pytest.raises((RunError, UsageError), match=frame.name):
        train(plan, environment)
    frame.write_bytes(backup)
    shutil.rmtree(tmp_path / "out")


def test_a_wrong_path_of_the_model_is_an_error_at_once(bench: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        plan_training(options(tmp_path / "nowhere", bench, tmp_path / "out"), registry())


@pytest.mark.parametrize("recipe", ["full", "lora", "lora-expected"])
def test_the_start_of_our_own_gives_the_losses_of_the_trainers(
    environment: TrainingEnvironment, base: Path, bench: Path, tmp_path: Path, recipe: str
) -> None:
    """Scores at labelled positions alone and single examples without padding change nothing that is learnt."""
    losses = []
    for name, module in (("ours", START), ("plain", "llamafactory.launcher")):
        # Dropout draws for padding too.
        changes = (*CHANGES, "per_device_train_batch_size=1", "max_steps=4", "save_strategy=no", "lora_dropout=0")
        plan = plan_training(options(base, bench, tmp_path / name, recipe=recipe, changes=changes), registry())
        (tmp_path / name).mkdir()
        config = write_files(plan).config
        start = [module if word == START else word for word in launch_command(environment, plan.launch, config)]
        run(
            start,
            environment={**process_environment(environment), "CUDA_VISIBLE_DEVICES": ""},
            folder=tmp_path / name / "model",
            log=tmp_path / name / "log.txt",
        )
        losses.append([step.loss for step in read_steps(tmp_path / name / "model")])
    assert len(losses[0]) == 4
    assert losses[0] == pytest.approx(losses[1], abs=2e-4)
