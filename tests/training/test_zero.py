"""The lock's DeepSpeed makes the step that plain averaging makes: some releases had wrong gradients in silence."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from egocross_eval.training.environment import TrainingEnvironment
from egocross_eval.training.environment_jobs import process_environment
from egocross_eval.training.trainer_config import zero_config

SCRIPT = Path(__file__).with_name("zero_on_cpu.py")


@pytest.mark.slow
@pytest.mark.training
@pytest.mark.skipif(shutil.which("c++") is None, reason="DeepSpeed compiles a part of itself for the CPU")
def test_zero_2_steps_as_plain_averaging_does(environment: TrainingEnvironment, base: Path, tmp_path: Path) -> None:
    """With gradient checkpointing, accumulation and shared embeddings; what only GPUs do wrong isn't seen here."""
    (tmp_path / "zero2.json").write_text(json.dumps(zero_config("zero2")), encoding="utf-8")
    start = [str(environment.python), "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", str(SCRIPT)]
    variables = {"CUDA_VISIBLE_DEVICES": "", "DS_ACCELERATOR": "cpu", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*start, str(base), str(tmp_path / "zero2.json"), str(tmp_path / "reply.json")],
        env={**process_environment(environment), **variables},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads((tmp_path / "reply.json").read_text(encoding="utf-8"))
    assert found["zero"] == pytest.approx(found["plain"], rel=1e-3)
    assert found["apart"] < 1e-6 < found["moved"]
