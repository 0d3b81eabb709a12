"""Fixtures that all tests share: a private cache, the demo benchmark, small questions."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
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


@pytest.fixture(scope="session")
def users_cache() -> str | None:
    """Where the user's cache is, if it was named."""
    return os.environ.get("EGOCROSS_CACHE")


@pytest.fixture(scope="session", autouse=True)
def private_cache(users_cache: str | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test, and no fixture, sees the user's caches, data root or keys."""
    cache = tmp_path_factory.getbasetemp() / "cache"
    cache.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EGOCROSS_CACHE", str(cache))
        for name in ("EGOCROSS_DATA", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
            patch.delenv(name, raising=False)
        yield cache


@pytest.fixture(autouse=True)
def no_earlier_answers(private_cache: Path) -> None:
    """No test is answered from the cache what another one asked: servers of both may have had the same port."""
    for path in private_cache.glob("responses.sqlite*"):
        path.unlink()


@pytest.fixture(scope="session")
def demo() -> Path:
    """Data root of the demo benchmark: the one that commands without a data root use too."""
    from egocross_eval.tasks.egocross.demo.cache import demo_root

    return demo_root()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real question files; the test is skipped where they aren't."""
    data = SHARED / "data"
    if not (data / "egocross_testbed_imgs.json").is_file():
        pytest.skip("the real benchmark files are not here")
    return data
