"""Every snippet of the pages on plugins is a plugin that registers what it says, or measures what it says."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import documented
import pytest

from egocross_eval.contracts.registry import Registry

PAGE, CONTRACTS = (f"docs/{name}.md" for name in ("plugins", "contracts"))
SNIPPETS = [
    (page, snippet)
    for page in (PAGE, CONTRACTS)
    for snippet in documented.fenced(page, "python")
    if "hookimpl" in snippet
]


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_a_snippet_is_a_plugin(number: int) -> None:
    page, snippet = SNIPPETS[number]
    module = types.ModuleType(f"snippet_{number}")
    module.__file__ = str(documented.ROOT / page)
    exec(compile(snippet, page, "exec"), module.__dict__)
    registry = Registry()
    info = registry.add("snippet", lambda: module, distribution="d", version="1")
    registry.collect()
    assert info.error is None
    registered = [info.tasks, info.methods, info.graders, info.prompt_styles, info.model_adapters]
    assert any([*registered, info.exporters, info.importers, info.trackers, info.commands, info.observes])


def test_the_snippet_without_a_plugin_measures_its_adapter(tmp_path: Path) -> None:
    (snippet,) = (snippet for snippet in documented.fenced(PAGE, "python") if "evaluate(" in snippet)
    names: dict[str, Any] = {}
    exec(compile(snippet, PAGE, "exec"), names)
    assert 0 < names["measure"](tmp_path / "run") < 1
    with pytest.warns(UserWarning, match=r"of python:First, which has no fingerprint\(\): they are kept"):
        names["measure"](tmp_path / "run")
