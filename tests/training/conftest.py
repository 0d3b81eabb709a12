"""Fixtures of the tests of training. Those marked `training` need llamafactory, in an environment of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from users_cache import in_cache

from egocross_eval.training.environment import TrainingEnvironment, find_environment

LONGEST = 1500
"""Seconds that a test which trains may take on a busy machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves out what needs the training environment unless it's asked for; what takes longest comes first, so that two
    workers end at about the same time."""
    items.sort(key=lambda item: item.path.name != "test_learning.py")
    for item in items:
        if item.get_closest_marker("training") is None:
            continue
        item.add_marker(pytest.mark.timeout(LONGEST))
        if not os.environ.get("EGOCROSS_TRAINING_TESTS"):
            item.add_marker(pytest.mark.skip(reason="needs the training environment; 'make test-training' runs this"))


@pytest.fixture(scope="session")
def environment(users_cache: str | None) -> TrainingEnvironment:
    """The one in the user's cache, built where it isn't there yet."""
    named = os.environ.get("EGOCROSS_TRAINING_PYTHON")
    with in_cache(users_cache):
        return find_environment(Path(named) if named else None, say=print)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Qwen3-VL with random weights."""
    from egocross_eval.model_adapters.checkpoints.tiny import build_tiny

    path = tmp_path_factory.mktemp("base") / "tiny"
    build_tiny(path)
    return path


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo benchmark with one question of each cell, in small pictures."""
    from egocross_eval.tasks.egocross.demo import write_demo

    root = tmp_path_factory.mktemp("bench")
    write_demo(root, per_cell=1, frame_scale=0.4)
    return root
