"""Starts what runs in the training environment: its variables, and jobs of `egocross_eval.training.inside`."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.directories import cache_directory
from egocross_eval.errors import RunError, UsageError
from egocross_eval.training.environment import PACKAGE, TrainingEnvironment, without_this_python

JOBS = "egocross_eval.training.inside.jobs"


def process_environment(environment: TrainingEnvironment) -> dict[str, str]:
    """Variables for a process of the training environment: it finds this package there, and nothing else of ours."""
    folder = cache_directory() / "training" / "package" / hashlib.sha256(str(PACKAGE).encode()).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / PACKAGE.name
    if not link.exists():
        try:
            link.symlink_to(PACKAGE, target_is_directory=True)
        except FileExistsError:
            link.exists()
        except OSError:
            shutil.copytree(PACKAGE, link, dirs_exist_ok=True)
    variables = without_this_python()
    variables["PYTHONPATH"] = str(folder)
    variables["TOKENIZERS_PARALLELISM"] = "false"
    return variables


def ask(environment: TrainingEnvironment, job: str, payload: dict[str, Any]) -> Any:
    """Runs a job of `egocross_eval.training.inside.jobs` in the training environment and returns what it answers.

    Raises `UsageError` with the worker's message for wrong input and `RunError` with the end of its log otherwise.
    """
    with tempfile.TemporaryDirectory(prefix="egocross-") as scratch:
        question, reply = Path(scratch) / "question.json", Path(scratch) / "reply.json"
        question.write_bytes(msgspec.json.encode(payload))
        command = [str(environment.python), "-m", JOBS, job, str(question), str(reply)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=process_environment(environment), cwd=scratch
        )
        if not reply.is_file():
            raise RunError(f"{job} failed in {environment.python}:\n{(done.stderr or done.stdout).strip()[-3000:]}")
        found = json.loads(reply.read_text(encoding="utf-8"))
    if "wrong" in found:
        raise UsageError(found["wrong"])
    if "failed" in found:
        from egocross_eval.training.trainer_faults import explain

        known = explain(found["failed"])
        raise RunError(
            f"{job} failed: {known}" if known else f"{job} failed in {environment.python}:\n{found['failed']}"
        )
    return found["result"]
