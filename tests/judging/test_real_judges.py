"""A real engine judges: its scores give marks, and what it writes is read or not, and never made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from egocross_eval import evaluate, judge
from egocross_eval.model_adapters.checkpoints.tiny import build_tiny

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*:UserWarning")]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "tiny"
    build_tiny(path)
    return path


def test_a_checkpoint_judges_by_its_scores_and_by_what_it_writes(checkpoint: Path, demo: Path, tmp_path: Path) -> None:
    spec = f"hf:{checkpoint}"
    model = "baseline:constant,text=a hook"
    run = evaluate(model, "open-counting", data=demo, limit=4, output=tmp_path / "run")
    (scored,) = judge(run, spec, judge_answer="choose", prematch="none")
    assert len(scored.samples) == 4
    for sample in scored.samples:
        (answer,) = sample.answers
        assert set(answer.response.scores or {}) == set("012345")
        assert sample.grade.mark is not None
        assert 0 < sample.grade.mark < 5
    (written,) = judge(run, spec, prematch="none", judge_max_new_tokens=8)
    for sample in written.samples:
        assert sample.outcome in ("unscored", "not_parsed", "wrong", "right")
        if sample.outcome == "unscored":
            assert len(sample.answers) == 3
            assert sample.grade.mark is None
