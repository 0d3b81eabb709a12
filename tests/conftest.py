"""Fixtures that all tests share: a private cache, the demo benchmark, small questions."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

SHARED = Path(__file__).resolve().parents[1].parent / "shared"

# The same examples in every run; HYPOTHESIS_PROFILE=random draws new ones. Machines that run tests are busy: how long
# an example takes says nothing.
settings.register_profile("fixed", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

# What a shell starts in the background ignores Ctrl-C, and so would the processes that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def private_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees the user's caches, data root or keys."""
    cache = tmp_path_factory.getbasetemp() / "cache"
    cache.mkdir(exist_ok=True)
    monkeypatch.setenv("EGOCROSS_CACHE", str(cache))
    monkeypatch.delenv("EGOCROSS_DATA", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    return cache


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data root of the demo benchmark: the one that commands without a data root use too."""
    from egocross_eval.tasks.egocross.demo.cache import demo_root

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EGOCROSS_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        return demo_root()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real question files; the test is skipped where they aren't."""
    data = SHARED / "data"
    if not (data / "egocross_testbed_imgs.json").is_file():
        pytest.skip("the real benchmark files are not here")
    return data
