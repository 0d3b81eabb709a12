"""The conformance suite over a plugin made of a few lines."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator

import pytest
from told_faults import failures

from egocross_eval import hookimpl
from egocross_eval.contracts.registry import Registry, registry
from egocross_eval.testing import checks


@pytest.fixture
def check_plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, str]]]:
    """Checks a plugin made of one hook: all of it, or what is named so."""

    def check(only: str = "", **hooks: Callable[[], Iterable[object]]) -> dict[str, str]:
        module = types.ModuleType("broken")
        for name, hook in hooks.items():
            setattr(module, name, hookimpl(hook))
        known: Registry = registry()
        info = known.add("broken", lambda: module, distribution="broken", version="1")
        known.collect()
        assert info.error is None
        return failures(check for check in checks("broken") if only in check.name)

    yield check
    registry.cache_clear()
