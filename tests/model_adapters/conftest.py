"""Fixtures of the model adapters' tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import checkpoints
import pytest
from families import FAMILIES


@pytest.fixture(scope="session")
def tiny_checkpoint() -> Path:
    """A tiny Qwen3-VL checkpoint whose answers hardly depend on the prompt."""
    return checkpoints.tiny_checkpoint()


@pytest.fixture(scope="session")
def vivid_checkpoint() -> Path:
    """A tiny Qwen3-VL checkpoint whose answers depend strongly on words and pictures."""
    return checkpoints.tiny_checkpoint(weight_spread=0.2)


@pytest.fixture(scope="session")
def family_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Builds the tiny checkpoint of a family at first use."""
    root = tmp_path_factory.mktemp("families")

    def get(name: str) -> Path:
        path = root / name
        return path if path.exists() else FAMILIES[name](path)

    return get
