"""`vllm:` on what was trained by `egocross-eval train`: the shipped model, and a LoRA adapter beside its base."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from users_cache import in_cache
from vllm_parts import EAGER

import egocross_eval.training
from egocross_eval.api import Run, evaluate
from egocross_eval.contracts.registry import registry
from egocross_eval.schema import Sample
from egocross_eval.scoring.difference import mcnemar_exact
from egocross_eval.settings import PromptSettings
from egocross_eval.training.card import read_card, warnings_for
from egocross_eval.training.environment import TrainingEnvironment, existing_environment, find_environment
from egocross_eval.training.options import TrainOptions
from egocross_eval.training.planning import plan_training
from egocross_eval.training.train import train

pytestmark = [pytest.mark.slow, pytest.mark.vllm]

MODEL = Path(egocross_eval.training.__file__).parent / "demo_model"

TASKS = "animal-identification,interaction-identification"
"""What the shipped model was trained on."""

AGREEMENT = 0.99


def right(run: Run) -> list[bool]:
    return [sample.outcome == "right" for sample in run.samples]


def letters(run: Run) -> list[str]:
    def best(sample: Sample) -> str:
        scores = sample.answers[0].response.scores
        assert scores is not None, sample.answers[0].response.failure
        return max(scores, key=lambda letter: scores[letter])

    return [best(sample) for sample in run.samples]


def agreement(one: Run, other: Run) -> float:
    pairs = list(zip(letters(one), letters(other), strict=True))
    return sum(a == b for a, b in pairs) / len(pairs)


@pytest.fixture(scope="module")
def training_environment(users_cache: str | None) -> TrainingEnvironment:
    """The one that `make test-training` built; it's large, so it isn't built for one test."""
    named = os.environ.get("EGOCROSS_TRAINING_PYTHON")
    with in_cache(users_cache):
        found = find_environment(Path(named)) if named else existing_environment()
    if found is None:
        pytest.skip("the training environment isn't built: run 'make test-training' before 'make test-vllm'")
    return found


def test_the_shipped_model_has_learnt_by_vllm_as_by_transformers(tmp_path: Path) -> None:
    """On newly drawn questions, shown as its card says, against itself before it was trained."""
    from egocross_eval.model_adapters.checkpoints.tiny import TinyShape, build_tiny
    from egocross_eval.tasks.egocross.demo import write_demo

    card = read_card(MODEL)
    assert card is not None
    shown = card.prompt
    assert shown.max_pixels is not None
    write_demo(tmp_path / "bench", seed=11, per_cell=60, frame_scale=0.4)
    untrained = tmp_path / "untrained"
    build_tiny(untrained, shape=TinyShape(frame_pixels=shown.max_pixels))
    settings: dict[str, Any] = {
        "style": shown.style,
        "frames": shown.frames,
        "timestamps": shown.timestamps,
        "max_pixels": shown.max_pixels,
        "answer": "choose",
        "data": tmp_path / "bench",
        "cache": False,
    }
    runs = {
        (engine, name): evaluate(spec, TASKS, output=tmp_path / f"{engine}-{name}", **settings)
        for name, model in (("untrained", untrained), ("trained", MODEL))
        for engine, spec in (("hf", f"hf:{model}"), ("vllm", f"vllm:{model},{EAGER}"))
    }
    for engine in ("hf", "vllm"):
        before, after = right(runs[engine, "untrained"]), right(runs[engine, "trained"])
        assert len(before) == len(after) == 120
        gained = sum(b and not a for a, b in zip(before, after, strict=True))
        lost = sum(a and not b for a, b in zip(before, after, strict=True))
        assert gained > lost
        assert mcnemar_exact(gained, lost) < 0.001
        assert sum(after) / len(after) > 0.8
        assert warnings_for(MODEL, runs[engine, "trained"].record.settings) == []
    assert agreement(runs["hf", "trained"], runs["vllm", "trained"]) >= AGREEMENT


def test_a_lora_adapter_of_llamafactory_answers_beside_its_base(
    training_environment: TrainingEnvironment, vivid_checkpoint: Path, demo: Path, tmp_path: Path
) -> None:
    chosen = TrainOptions(
        model=str(vivid_checkpoint),
        data=demo,
        output=tmp_path / "out",
        domains=("animal",),
        recipe="lora",
        changes=("cutoff_len=4096", "learning_rate=1e-2", "lora_rank=16", "lora_alpha=32"),
        prompt=PromptSettings(frames="uniform:2", max_pixels=4096),
        gpus=0,
    )
    adapter = train(plan_training(chosen, registry()), training_environment).model
    settings: dict[str, Any] = {"frames": "uniform:2", "max_pixels": 4096, "answer": "choose", "cache": False}
    runs = {
        name: evaluate(spec, data=demo, output=tmp_path / name, **settings)
        for name, spec in {
            "vllm": f"vllm:{vivid_checkpoint},{EAGER},lora={adapter}",
            "hf": f"hf:{vivid_checkpoint},lora={adapter}",
            "base": f"hf:{vivid_checkpoint}",
        }.items()
    }
    assert all(run.results.complete for run in runs.values())
    assert agreement(runs["vllm"], runs["hf"]) >= AGREEMENT
    assert agreement(runs["vllm"], runs["base"]) < 0.9, "the adapter must change answers"
