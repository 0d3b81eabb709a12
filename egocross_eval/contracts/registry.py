"""Finds plugins and keeps what they register. A broken plugin is recorded with its traceback and never stops the
rest."""

from __future__ import annotations

import functools
import importlib
import traceback
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import msgspec
import pluggy

from egocross_eval.contracts import hooks as hookspecs
from egocross_eval.errors import UsageError, unknown

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from egocross_eval.contracts.model import AdapterType
    from egocross_eval.contracts.style import PromptStyle
    from egocross_eval.contracts.task import Task

BUILT_IN = {
    "tasks": "egocross_eval.tasks.egocross.plugin",
    "prompt styles": "egocross_eval.prompts.plugin",
    "model adapters": "egocross_eval.model_adapters.plugin",
}
"""Built-in plugins by name: modules with the same hooks as anyone else's."""

DISTRIBUTION = "egocross-eval"


class PluginInfo(msgspec.Struct, kw_only=True):
    """One plugin as `egocross-eval plugins` shows it."""

    name: str
    distribution: str
    version: str
    tasks: list[str] = []
    model_adapters: list[str] = []
    prompt_styles: list[str] = []
    observers: list[str] = []
    error: str | None = None
    """Traceback, or what was wrong, if it's broken."""


class Registry:
    """All that plugins registered, by name, and the hooks of observers."""

    def __init__(self) -> None:
        self.plugins: list[PluginInfo] = []
        self.tasks: dict[str, Task] = {}
        self.model_adapters: dict[str, AdapterType] = {}
        self.prompt_styles: dict[str, PromptStyle] = {}
        self._manager = pluggy.PluginManager(hookspecs.GROUP)
        self._manager.add_hookspecs(hookspecs)

    @property
    def hook(self) -> Any:
        """pluggy's hook relay, for observers of a run."""
        return self._manager.hook

    def _unknown(self, what: str, name: str, known: Iterable[str]) -> UsageError:
        error = unknown(what, name, known)
        broken = [plugin.name for plugin in self.plugins if plugin.error]
        if broken:
            return UsageError(f"{error}; broken plugins: {', '.join(broken)} (see 'egocross-eval plugins')")
        return error

    def task(self, name: str) -> Task:
        """The task of that name, or an error with a suggestion."""
        if name not in self.tasks:
            raise self._unknown("task", name, self.tasks)
        return self.tasks[name]

    def adapter_type(self, scheme: str) -> AdapterType:
        """The adapter type of that scheme, or an error with a suggestion."""
        if scheme not in self.model_adapters:
            raise self._unknown("model adapter", scheme, self.model_adapters)
        return self.model_adapters[scheme]

    def prompt_style(self, name: str) -> PromptStyle:
        """The prompt style of that name, or an error with a suggestion."""
        if name not in self.prompt_styles:
            raise self._unknown("prompt style", name, self.prompt_styles)
        return self.prompt_styles[name]

    def add(self, name: str, load: Callable[[], object], *, distribution: str, version: str) -> PluginInfo:
        """Registers the plugin that `load` returns; whatever goes wrong ends up in the info's `error`."""
        info = PluginInfo(name=name, distribution=distribution, version=version)
        self.plugins.append(info)
        # A plugin may fail in any way, also by SystemExit at import; only an interrupt goes through.
        try:
            plugin = load()
            self._manager.register(plugin, name=name)
            self._manager.check_pending()
        except KeyboardInterrupt:
            raise
        except BaseException:
            info.error = traceback.format_exc()
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            return info
        try:
            self._collect(plugin, info)
        except KeyboardInterrupt:
            raise
        except BaseException:
            info.error = traceback.format_exc()
            self._forget(info)
            self._manager.unregister(plugin)
        return info

    def _collect(self, plugin: object, info: PluginInfo) -> None:
        """Calls the plugin's registering hooks and files what they return."""
        self._file(plugin, "egocross_tasks", "name", "task", self.tasks, info.tasks)
        self._file(
            plugin, "egocross_model_adapters", "scheme", "model adapter", self.model_adapters, info.model_adapters
        )
        self._file(plugin, "egocross_prompt_styles", "name", "prompt style", self.prompt_styles, info.prompt_styles)
        hooks = ("egocross_run_started", "egocross_question_answered", "egocross_run_finished")
        info.observers.extend(hook.removeprefix("egocross_") for hook in hooks if callable(getattr(plugin, hook, None)))

    def _file(self, plugin: object, hook: str, key: str, what: str, known: dict[str, Any], names: list[str]) -> None:
        implementation = getattr(plugin, hook, None)
        if implementation is None:
            return
        entries: Iterable[Any] = implementation()
        for entry in entries:
            name = getattr(entry, key)
            if name in known:
                raise ValueError(f"the {what} {name!r} is registered already; choose another name")
            known[name] = entry
            names.append(name)

    def _forget(self, info: PluginInfo) -> None:
        """Takes back what a plugin had registered before it broke."""
        for names, known in (
            (info.tasks, self.tasks),
            (info.model_adapters, self.model_adapters),
            (info.prompt_styles, self.prompt_styles),
        ):
            for name in names:
                known.pop(name, None)
            names.clear()


def _entry_points() -> Iterable[EntryPoint]:
    from importlib.metadata import entry_points

    return entry_points(group=hookspecs.GROUP)


def load_registry() -> Registry:
    """A new registry with the built-in plugins and those of installed distributions."""
    from egocross_eval import __version__

    registry = Registry()
    for name, module in BUILT_IN.items():
        registry.add(
            name, functools.partial(importlib.import_module, module), distribution=DISTRIBUTION, version=__version__
        )
    for entry in _entry_points():
        distribution = entry.dist
        registry.add(
            entry.name,
            entry.load,
            distribution=distribution.name if distribution else "unknown",
            version=distribution.version if distribution else "",
        )
    return registry


@functools.cache
def registry() -> Registry:
    """The process-wide registry, loaded at first use."""
    return load_registry()
