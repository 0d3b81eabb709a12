"""A run that is passed on, and what is a stranger's in it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from calling import call


@pytest.fixture(scope="session")
def honest_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of four questions. Tests copy it."""
    folder = tmp_path_factory.mktemp("runs") / "honest"
    assert call("--model", "baseline:longest", "--split", "demo", "--limit", "4", "--output", folder) == 0
    return folder


@pytest.fixture
def run(honest_run: Path, tmp_path: Path) -> Path:
    """A copy of the run, to be made hostile."""
    return Path(shutil.copytree(honest_run, tmp_path / "run"))


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file of the user's that no attack may change or show."""
    path = tmp_path / "victim"
    path.write_text("precious")
    return path
