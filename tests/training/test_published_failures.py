"""The five ways in which the published training recipe fails as printed: none of them happens here.

1. `dataset_info.json` without tags: LLaMA-Factory stops with `KeyError: 'from'`.
2. `template: qwen3_vl` trains an Instruct model to write an empty `<think></think>` block before the letter.
3. An unpinned installation of llamafactory brings a torch that torchaudio can't be imported beside.
4. `pip install transformers>=4.57.0` without quotes is a shell redirection.
5. Training caps frames at 360,000 pixels, the published inference example caps nothing.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import msgspec
import pytest
from training_files import four_videos, training_card, write_base, write_support
from trainings import CHANGES, options

import egocross_eval.training.dataset as dataset
from egocross_eval.contracts.registry import registry
from egocross_eval.contracts.task import DataOptions
from egocross_eval.errors import RunError, UsageError
from egocross_eval.runs.options import RunOptions
from egocross_eval.runs.plan import plan_run
from egocross_eval.settings import PromptSettings
from egocross_eval.training.card import as_options, warnings_for
from egocross_eval.training.card_files import write_card
from egocross_eval.training.environment import TrainingEnvironment, lock_file
from egocross_eval.training.options import TrainOptions
from egocross_eval.training.parity import compare_tokens, refuse_difference
from egocross_eval.training.planning import plan_training
from egocross_eval.training.train import train

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.training
def test_failure_1_a_registration_without_tags(
    environment: TrainingEnvironment, base: Path, bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Published failure 1: our registration loads, and the printed one fails with its remedy."""
    plan = plan_training(options(base, bench, tmp_path / "out", limit=4), registry())
    assert compare_tokens(plan, environment).differing == 0
    # What LLaMA-Factory takes where a registration has no tags.
    untagged = {"role_tag": "from", "content_tag": "value", "user_tag": "human", "assistant_tag": "gpt"}
    monkeypatch.setattr(dataset, "TAGS", untagged)
    with pytest.raises(RunError, match="lacks its tags"):
        compare_tokens(plan, environment)


@pytest.mark.slow
@pytest.mark.training
def test_failure_2_a_thinking_template_on_an_instruct_model(
    environment: TrainingEnvironment, base: Path, bench: Path, tmp_path: Path
) -> None:
    """Published failure 2: the recipes' template puts the letter first; the printed one is refused before training."""
    for recipe in ("full", "lora"):
        chosen = options(base, bench, tmp_path / recipe, recipe=recipe, limit=4)
        assert compare_tokens(plan_training(chosen, registry()), environment).differing == 0
    printed = options(base, bench, tmp_path / "printed", recipe="published-lora", changes=(), limit=4)
    with pytest.raises(UsageError, match=r"think>(.|\n)*--set template=qwen3_vl_nothink"):
        train(plan_training(printed, registry()), environment)
    assert not (tmp_path / "printed" / "model").exists()


@pytest.mark.slow
@pytest.mark.training
def test_failure_3_packages_that_do_not_belong_together(environment: TrainingEnvironment) -> None:
    """Published failure 3: the environment that is built can import all that training needs, in one process."""
    code = "import torch, torchvision, torchaudio, transformers, llamafactory, deepspeed; print('together')"
    done = subprocess.run([str(environment.python), "-c", code], capture_output=True, text=True, check=False)
    assert "together" in done.stdout, done.stderr[-2000:]


def test_failure_3_the_environment_is_pinned() -> None:
    """Published failure 3: every package of the lock has one version, so that none drifts away from the others."""
    lines = [line for line in lock_file().read_text(encoding="utf-8").splitlines() if re.match(r"[a-z0-9]", line)]
    assert len(lines) > 50
    assert [line for line in lines if not re.match(r"[a-z0-9._-]+==[^ ]+", line)] == []


def test_failure_4_an_installation_that_is_a_redirection() -> None:
    """Published failure 4: no command that we print or document gives a version without quotes."""
    files = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "egocross_eval").rglob("*.py"),
        ROOT / "Makefile",
    ]
    pattern = re.compile(r"pip install\s+(?:-\S+\s+)*[A-Za-z0-9_.-]+(?:\[[^\]]*\])?\s*[<>]=?")
    assert pattern.search("pip install transformers>=4.57.0")
    assert not pattern.search("pip install 'transformers>=4.57.0'")
    assert [str(path) for path in files if pattern.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("recipe", ["full", "lora", "published-full", "published-lora"])
def test_failure_5_another_pixel_cap_in_evaluation(tmp_path: Path, recipe: str) -> None:
    """Published failure 5: the cap of training goes into the prompts, the card and the command that evaluates; a run
    without it is warned of."""
    root = write_support(tmp_path / "data", four_videos())
    model = write_base(tmp_path / "base")
    plan = plan_training(
        TrainOptions(model=str(model), data=root, output=tmp_path / "out", recipe=recipe, gpus=1), registry()
    )
    assert plan.config["image_max_pixels"] == 360_000
    assert {example.prompt.max_pixels for example in plan.trained} == {360_000}
    assert "--max-pixels 360000" in " ".join(as_options(plan.prompt))
    (tmp_path / "model").mkdir()
    write_card(tmp_path / "model", training_card(prompt=plan.prompt))
    data, shown = DataOptions(data=root, split="support"), PromptSettings(max_pixels=360_000)
    run = plan_run(RunOptions(data=data, prompt=shown), registry()).settings
    assert warnings_for(tmp_path / "model", run) == []
    (warning,) = warnings_for(tmp_path / "model", msgspec.structs.replace(run, prompt=PromptSettings()))
    assert "no --max-pixels instead of 360000" in warning


@pytest.mark.slow
@pytest.mark.training
def test_failure_5_the_frames_of_training_have_the_size_of_evaluation(
    environment: TrainingEnvironment, base: Path, bench: Path, tmp_path: Path
) -> None:
    """Published failure 5: a cap that differs from evaluation's is refused before training."""
    plan = plan_training(
        options(base, bench, tmp_path / "out", limit=4, max_pixels=None, changes=(*CHANGES, "image_max_pixels=1024")),
        registry(),
    )
    # The cap of training is the budget of evaluation, unless somebody changes one behind the other's back.
    trained = tuple(
        msgspec.structs.replace(one, prompt=msgspec.structs.replace(one.prompt, max_pixels=4096))
        for one in plan.trained
    )
    renderer = msgspec.structs.replace(plan.renderer, settings=msgspec.structs.replace(plan.prompt, max_pixels=4096))
    parity = compare_tokens(msgspec.structs.replace(plan, renderer=renderer, trained=trained), environment)
    assert parity.differing == 4
    with pytest.raises(UsageError, match="image_pad"):
        refuse_difference(parity, plan)
