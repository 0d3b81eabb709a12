"""vLLM in replicas of a Ray cluster: the letters of vLLM alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from vllm_parts import EAGER

from egocross_eval import evaluate

pytestmark = [pytest.mark.vllm, pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning")]


def test_a_replica_with_vllm_gives_the_letters_of_vllm_alone(vivid_checkpoint: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="ray is not installed: the extra ray")
    asked = {"split": "demo", "limit": 12, "frames": "uniform:2", "answer": "choose", "cache": False}
    spec = f"vllm:{vivid_checkpoint},{EAGER}"
    alone = evaluate(spec, output=tmp_path / "alone", **asked)  # type: ignore[arg-type]
    shared = evaluate(f"ray:{spec},replicas=1,cpus=1", output=tmp_path / "ray", **asked)  # type: ignore[arg-type]
    letters = [[sample.grade.prediction for sample in run.samples] for run in (alone, shared)]
    assert letters[0] == letters[1]
    assert len(set(letters[0])) > 1
    assert {answer.response.replica.rpartition("/")[2] for sample in shared.samples for answer in sample.answers} == {
        "0"
    }
    assert shared.record.model.identity == alone.record.model.identity
