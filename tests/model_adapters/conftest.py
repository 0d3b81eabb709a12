"""Fixtures of the model adapters' tests."""

from __future__ import annotations

from pathlib import Path

import checkpoints
import pytest


@pytest.fixture(scope="session")
def tiny_checkpoint() -> Path:
    """A tiny Qwen3-VL checkpoint whose answers hardly depend on the prompt."""
    return checkpoints.tiny_checkpoint()


@pytest.fixture(scope="session")
def vivid_checkpoint() -> Path:
    """A tiny Qwen3-VL checkpoint whose answers depend strongly on words and pictures."""
    return checkpoints.tiny_checkpoint(weight_spread=0.2)
