"""The plugin registry: built-ins use the same hooks, broken plugins are named and stop nobody."""

from __future__ import annotations

import types
from collections.abc import Callable

import pytest

from egocross_eval.contracts import hookimpl
from egocross_eval.contracts.model import AdapterType, ModelAdapter
from egocross_eval.contracts.registry import Registry, load_registry
from egocross_eval.errors import UsageError


def build(target: str, options: dict[str, str]) -> ModelAdapter:
    return ModelAdapter()


def plugin_with(scheme: str) -> Callable[[], object]:
    class Plugin:
        @hookimpl
        def egocross_model_adapters(self) -> list[AdapterType]:
            return [AdapterType(scheme=scheme, description="", factory=build)]

    return Plugin


def test_built_in_plugins_register_tasks_styles_and_adapters() -> None:
    registry = load_registry()
    assert {"all", "animal", "industry", "xsports", "surgery"} <= set(registry.tasks)
    assert {"letter", "json", "challenge"} <= set(registry.prompt_styles)
    assert {"baseline", "openai", "hf", "routed"} <= set(registry.model_adapters)
    assert all(plugin.error is None for plugin in registry.plugins)


def test_a_plugin_that_raises_at_import_is_recorded_with_its_traceback() -> None:
    registry = Registry()

    def load() -> object:
        raise ImportError("no module named engine")

    info = registry.add("broken", load, distribution="d", version="1")
    assert "no module named engine" in (info.error or "")
    assert "Traceback" in (info.error or "")


def test_a_plugin_that_exits_at_import_does_not_end_the_process() -> None:
    info = Registry().add("exits", lambda: (_ for _ in ()).throw(SystemExit(3)), distribution="d", version="1")
    assert "SystemExit" in (info.error or "")


def test_a_plugin_whose_hook_raises_is_recorded_and_leaves_nothing_behind() -> None:
    class Half:
        @hookimpl
        def egocross_model_adapters(self) -> list[AdapterType]:
            return [AdapterType(scheme="half", description="", factory=build)]

        @hookimpl
        def egocross_prompt_styles(self) -> list[object]:
            raise RuntimeError("styles are out")

    registry = Registry()
    info = registry.add("half", Half, distribution="d", version="1")
    assert "styles are out" in (info.error or "")
    assert registry.model_adapters == {}


def test_a_plugin_after_a_broken_one_still_registers() -> None:
    registry = Registry()
    registry.add("broken", lambda: (_ for _ in ()).throw(ValueError("no")), distribution="d", version="1")
    registry.add("fine", plugin_with("fine"), distribution="d", version="1")
    assert set(registry.model_adapters) == {"fine"}


def test_a_name_that_is_taken_breaks_the_second_plugin_only() -> None:
    registry = Registry()
    registry.add("first", plugin_with("same"), distribution="d", version="1")
    second = registry.add("second", plugin_with("same"), distribution="e", version="1")
    assert "registered already" in (second.error or "")
    assert set(registry.model_adapters) == {"same"}


def test_a_hook_with_a_wrong_argument_is_a_broken_plugin() -> None:
    module = types.ModuleType("wrong")

    @hookimpl
    def egocross_run_started(no_such_argument: int) -> None: ...

    module.egocross_run_started = egocross_run_started  # type: ignore[attr-defined]
    info = Registry().add("wrong", lambda: module, distribution="d", version="1")
    assert "no_such_argument" in (info.error or "")


def test_unknown_names_are_answered_with_a_suggestion() -> None:
    registry = load_registry()
    with pytest.raises(UsageError, match="did you mean 'animal'"):
        registry.task("animl")
    with pytest.raises(UsageError, match="did you mean 'openai'"):
        registry.adapter_type("opnai")
    with pytest.raises(UsageError, match="did you mean 'letter'"):
        registry.prompt_style("leter")
