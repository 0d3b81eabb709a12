"""Every snippet of docs/plugins.md is a plugin that registers what it says."""

from __future__ import annotations

import re
import types
from pathlib import Path

import pytest

from egocross_eval.contracts.registry import Registry

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_a_snippet_is_a_plugin(number: int) -> None:
    module = types.ModuleType(f"snippet_{number}")
    module.__file__ = str(PAGE)
    exec(compile(SNIPPETS[number], str(PAGE), "exec"), module.__dict__)
    registry = Registry()
    info = registry.add("snippet", lambda: module, distribution="d", version="1")
    registry.collect()
    assert info.error is None
    registered = [info.tasks, info.methods, info.graders, info.prompt_styles, info.model_adapters]
    assert any([*registered, info.exporters, info.commands, info.observes])
