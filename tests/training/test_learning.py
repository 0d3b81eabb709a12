"""Whether a small model learns what the demo's pictures show, by the commands that people use."""

from __future__ import annotations

from pathlib import Path

import pytest

from egocross_eval import PromptSettings, RunKeywords, evaluate
from egocross_eval.contracts.registry import registry
from egocross_eval.training.environment import TrainingEnvironment
from egocross_eval.training.options import TrainOptions
from egocross_eval.training.planning import plan_training
from egocross_eval.training.train import train


@pytest.mark.slow
@pytest.mark.training
def test_it_learns(environment: TrainingEnvironment, tmp_path: Path) -> None:
    """A mistake in prompt, order of frames, template or labels would leave it at chance."""
    from egocross_eval.model_adapters.checkpoints.tiny import TinyShape, build_tiny
    from egocross_eval.scoring.difference import mcnemar_exact
    from egocross_eval.tasks.egocross.demo import write_demo
    from egocross_eval.training.curriculum import Curriculum

    root, base = tmp_path / "bench", tmp_path / "base"
    tasks = ("animal-identification", "interaction-identification")
    write_demo(root, per_cell=60, training=1600, training_tasks=tasks, frame_scale=0.4)
    build_tiny(base, shape=TinyShape(frame_pixels=8192))
    chosen = TrainOptions(
        model=str(base),
        data=root,
        output=tmp_path / "out",
        questions_file=root / "egocross_support_set" / "training.json",
        tasks=tasks,
        recipe="tiny",
        prompt=PromptSettings(style="challenge", frames="uniform:1"),
        gpus=0,
        curriculum=Curriculum(passes=14, sort_until=0.15, shuffle_from=0.6),
    )
    done = train(plan_training(chosen, registry()), environment)
    settings: RunKeywords = {
        "style": "challenge",
        "frames": "uniform:1",
        "max_pixels": 8192,
        "answer": "choose",
        "data": root,
    }
    runs = [
        evaluate(f"hf:{model}", ",".join(tasks), output=tmp_path / name, **settings)
        for name, model in (("before", base), ("after", done.model))
    ]
    before, after = ([sample.outcome == "right" for sample in run.samples] for run in runs)
    assert len(after) == 120
    gained = sum(b and not a for a, b in zip(before, after, strict=True))
    lost = sum(a and not b for a, b in zip(before, after, strict=True))
    assert gained > lost
    assert mcnemar_exact(gained, lost) < 0.001
    assert sum(after) / len(after) > 0.45
