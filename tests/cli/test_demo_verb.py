"""`egocross-eval demo`: the main job from nothing, with real models."""

from __future__ import annotations

from pathlib import Path

import pytest
from replied import document

from egocross_eval import load_run
from egocross_eval.cli.main import main
from egocross_eval.scoring.difference import mcnemar_exact


@pytest.mark.slow
def test_the_demo_runs_a_trained_model_that_knows_what_it_was_trained_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(SystemExit) as ended:
        main(["demo", str(tmp_path / "demo")])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(domain in shown for domain in ("Animal", "Industry", "XSports", "Surgery"))
    assert "leaderboard" in shown
    trained = load_run(tmp_path / "demo" / "runs" / "trained")
    assert trained.results.complete
    asked = ("animal identification", "interaction identification", "sport identification")
    right = [s.outcome == "right" for s in trained.samples if s.question.label("question_type") in asked]
    assert sum(right) >= len(right) - 1
    # The first table that a newcomer sees shows a difference that is sure.
    assert "small Qwen3-VL after training is better than small Qwen3-VL with random weights: " in shown
    with pytest.raises(SystemExit):
        main(["demo", str(tmp_path / "demo"), "--format", "json"])
    assert set(document("demo", capsys.readouterr().out)["runs"]) == {"trained", "base", "chance", "position"}


@pytest.mark.slow
def test_the_shipped_model_answers_unseen_questions_far_above_its_untrained_self(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    from egocross_eval import RunKeywords, evaluate
    from egocross_eval.model_adapters.checkpoints.tiny import build_tiny
    from egocross_eval.tasks.egocross.demo import write_demo

    write_demo(tmp_path / "bench", seed=5, per_cell=15)
    build_tiny(tmp_path / "base")
    shipped = Path(__file__).resolve().parents[2] / "egocross_eval" / "training" / "demo_model"
    settings: RunKeywords = {
        "style": "challenge",
        "frames": "uniform:1",
        "max_pixels": 8192,
        "answer": "choose",
        "cache": False,
    }
    settings["data"] = tmp_path / "bench"
    runs = [
        evaluate(
            f"hf:{model}",
            "animal-identification,interaction-identification",
            output=tmp_path / "runs" / name,
            **settings,
        )
        for name, model in (("trained", shipped), ("base", tmp_path / "base"))
    ]
    trained, base = ([s.outcome == "right" for s in run.samples] for run in runs)
    gained = sum(t and not b for t, b in zip(trained, base, strict=True))
    lost = sum(b and not t for t, b in zip(trained, base, strict=True))
    assert mcnemar_exact(gained, lost) < 0.001
    assert sum(trained) > 0.7 * len(trained)
