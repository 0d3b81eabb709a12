"""The plugin registry: built-ins use the same hooks, broken plugins are named and stop nobody."""

from __future__ import annotations

import types
from collections.abc import Callable, Generator

import pytest
from msgspec import structs

from egocross_eval import AdapterType, ModelAdapter, UsageError, hookimpl
from egocross_eval.contracts.registry import PluginInfo, Registry, load_registry


def build(target: str, options: dict[str, str]) -> ModelAdapter:
    return ModelAdapter()


def plugin_with(scheme: str) -> Callable[[], object]:
    class Plugin:
        @hookimpl
        def egocross_model_adapters(self) -> list[AdapterType]:
            return [AdapterType(scheme=scheme, description="", factory=build)]

    return Plugin


def added(registry: Registry, name: str, load: Callable[[], object]) -> PluginInfo:
    """Adds a plugin and collects what all register."""
    info = registry.add(name, load, distribution="d", version="1")
    registry.collect()
    return info


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

    info = added(registry, "broken", load)
    assert "no module named engine" in (info.error or "")
    assert "Traceback" in (info.error or "")


def test_a_plugin_that_exits_at_import_does_not_end_the_process() -> None:
    info = added(Registry(), "exits", lambda: (_ for _ in ()).throw(SystemExit(3)))
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
    info = added(registry, "half", Half)
    assert "styles are out" in (info.error or "")
    assert registry.model_adapters == {}


def test_a_plugin_after_a_broken_one_still_registers() -> None:
    registry = Registry()
    added(registry, "broken", lambda: (_ for _ in ()).throw(ValueError("no")))
    added(registry, "fine", plugin_with("fine"))
    assert set(registry.model_adapters) == {"fine"}


def test_a_name_that_is_taken_breaks_the_second_plugin_only() -> None:
    registry = Registry()
    added(registry, "first", plugin_with("same"))
    second = added(registry, "second", plugin_with("same"))
    assert "registered already" in (second.error or "")
    assert set(registry.model_adapters) == {"same"}


def test_a_hook_with_a_wrong_argument_is_a_broken_plugin() -> None:
    module = types.ModuleType("wrong")

    @hookimpl
    def egocross_event(no_such_argument: int) -> None: ...

    module.egocross_event = egocross_event  # type: ignore[attr-defined]
    info = added(Registry(), "wrong", lambda: module)
    assert "no_such_argument" in (info.error or "")


def test_hooks_mean_what_they_do_in_pluggy() -> None:
    class Named:
        @hookimpl(specname="egocross_model_adapters")
        def my_adapters(self) -> list[AdapterType]:
            return [AdapterType(scheme="named", description="", factory=build)]

    class Wrapper:
        @hookimpl(wrapper=True)
        def egocross_model_adapters(self) -> Generator[None, list[list[AdapterType]], list[list[AdapterType]]]:
            found = yield
            return [[structs.replace(entry, description="seen") for entry in entries] for entries in found]

    registry = Registry()
    added(registry, "named", Named)
    added(registry, "wrapper", Wrapper)
    assert registry.model_adapters["named"].description == "seen"
    assert [plugin.error for plugin in registry.plugins] == [None, None]


def test_the_built_in_parts_are_listed_by_kind() -> None:
    registry = load_registry()
    assert {"once", "rotate", "sample"} <= set(registry.methods)
    assert {"letter", "open", "rules"} <= set(registry.graders)
    assert "submission" in registry.exporters
    assert set(registry.benchmarks()) == {"egocross", "egocross-open"}


def test_unknown_names_are_answered_with_a_suggestion() -> None:
    registry = load_registry()
    with pytest.raises(UsageError, match="did you mean 'animal'"):
        registry.task("animl")
    with pytest.raises(UsageError, match="did you mean 'openai'"):
        registry.adapter_type("opnai")
    with pytest.raises(UsageError, match="did you mean 'letter'"):
        registry.prompt_style("leter")
