"""The shipped small model: it was trained by `make demo-model` and answers what the demo's drawings show now."""

from __future__ import annotations

from pathlib import Path

import pytest
from calling import call
from checkpoints import tiny_checkpoint

import egocross_eval.training
from egocross_eval import RunKeywords, UsageError, evaluate
from egocross_eval.scoring.difference import mcnemar_exact
from egocross_eval.tasks.egocross.catalogue import DOMAINS
from egocross_eval.training.card import read_card, warnings_for
from egocross_eval.training.checkpoint_doctor import examine

MODEL = Path(egocross_eval.training.__file__).parent / "demo_model"

TASKS = (
    "animal-identification",
    "interaction-identification",
    "sport-identification",
    "special-action-identification",
    "next-interaction-prediction",
    "next-action-prediction",
    "next-phase-prediction",
)
"""Types that it has learnt, in every domain."""


def test_it_is_small_and_its_card_names_no_path_of_a_machine() -> None:
    assert sum(path.stat().st_size for path in MODEL.iterdir()) < 6 * 2**20
    card = read_card(MODEL)
    assert card is not None
    assert card.base == ""
    assert card.base_made.startswith("egocross-eval models build-tiny BASE --frame-pixels 8192")
    assert "/" not in card.base_made
    assert card.parity.startswith("equal")


def test_the_doctor_says_how_its_base_is_made() -> None:
    with pytest.raises(UsageError, match="names no base; it was made by: egocross-eval models build-tiny BASE"):
        examine(MODEL, None, repair=False)


@pytest.mark.slow
def test_the_doctor_finds_it_like_a_base_that_is_made_so(tmp_path: Path) -> None:
    assert call("models", "build-tiny", tmp_path / "base", "--frame-pixels", "8192") == 0
    assert {found.status for found in examine(MODEL, str(tmp_path / "base"), repair=False)} == {"fine"}


@pytest.mark.slow
def test_it_answers_far_above_chance_and_above_an_untrained_model(tmp_path: Path) -> None:
    """A failure after a change of the demo's drawings means that it must be trained anew."""
    from egocross_eval.tasks.egocross.demo import write_demo

    write_demo(tmp_path / "bench", per_cell=20, frame_scale=0.4)
    card = read_card(MODEL)
    assert card is not None
    settings: RunKeywords = {
        "style": card.prompt.style,
        "frames": card.prompt.frames,
        "max_pixels": card.prompt.max_pixels,
        "answer": "choose",
        "data": tmp_path / "bench",
    }
    models = {"before": tiny_checkpoint(), "after": MODEL}
    runs = [
        evaluate(f"hf:{path}", ",".join(TASKS), output=tmp_path / name, **settings) for name, path in models.items()
    ]
    assert warnings_for(MODEL, runs[1].record.settings) == []
    before, after = ([sample.outcome == "right" for sample in run.samples] for run in runs)
    assert len(after) == 20 * len(TASKS)
    gained = sum(b and not a for a, b in zip(before, after, strict=True))
    lost = sum(a and not b for a, b in zip(before, after, strict=True))
    assert mcnemar_exact(gained, lost) < 0.001
    assert sum(after) / len(after) > 0.8
    for domain in DOMAINS:
        right = [sample.outcome == "right" for sample in runs[1].samples if sample.question.label("domain") == domain]
        assert sum(right) / len(right) > 0.5, domain
