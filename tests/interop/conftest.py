"""Fixtures of the tests with other people's tools; those that need one are left out where it isn't installed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # helper modules of the tests lie there

from browser import chromium
from lmms_eval_runs import LmmsEvalRun, run_inside

__all__ = ["chromium"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves out what needs lmms-eval where it isn't installed."""
    if importlib.util.find_spec("lmms_eval") is not None:
        return
    for item in items:
        if item.get_closest_marker("interop") is not None:
            item.add_marker(pytest.mark.skip(reason="lmms-eval isn't installed here; 'make test-interop' runs this"))


@pytest.fixture(scope="session")
def inside(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> LmmsEvalRun:
    """Our task inside lmms-eval, asked of our baseline inside lmms-eval, by our command."""
    return run_inside(demo, tmp_path_factory.mktemp("inside"), "spec=baseline:longest")
