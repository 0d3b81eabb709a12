"""Programs of other people's tools, in the environments that 'make interop-env' builds."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def program(environment: str, name: str) -> Path:
    """A program of an environment; the test is skipped where it isn't built."""
    path = ROOT / ".venvs" / environment / "bin" / name
    if not path.exists():
        pytest.skip(f"{environment} isn't built here: 'make interop-env'")
    return path


def run(
    environment: str, name: str, *arguments: str | Path, more: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a program of an environment, with this package as it is here."""
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "DO_NOT_TRACK": "1", **(more or {})}
    command = [str(program(environment, name)), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=settings, timeout=300, check=False)


def said(environment: str, code: str, *arguments: str | Path, more: Mapping[str, str] | None = None) -> Any:
    """The JSON that Python code prints last in an environment."""
    done = run(environment, "python", "-c", code, *arguments, more=more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])
