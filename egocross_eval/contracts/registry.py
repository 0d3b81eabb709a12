"""Finds plugins and keeps what they register. A broken plugin is recorded with its traceback, and the rest go on."""

from __future__ import annotations

import functools
import importlib
import traceback
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pluggy

from egocross_eval.contracts import hooks as hookspecs
from egocross_eval.errors import UsageError, unknown

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from egocross_eval.contracts.command import CommandType
    from egocross_eval.contracts.exporter import Exporter
    from egocross_eval.contracts.grader import Grader
    from egocross_eval.contracts.importer import Importer
    from egocross_eval.contracts.method import MethodType
    from egocross_eval.contracts.model import AdapterType
    from egocross_eval.contracts.style import PromptStyle
    from egocross_eval.contracts.task import Benchmark, Task
    from egocross_eval.contracts.tracker import TrackerType

BUILT_IN = {
    "egocross": "egocross_eval.tasks.egocross.plugin",
    "methods": "egocross_eval.methods.plugin",
    "graders": "egocross_eval.grading.plugin",
    "prompt styles": "egocross_eval.prompts.plugin",
    "model adapters": "egocross_eval.model_adapters.plugin",
    "interop": "egocross_eval.interop.plugin",
}
"""Built-in plugins by name: modules with the same hooks as anyone else's."""

DISTRIBUTION = "egocross-eval"


class Kind(NamedTuple):
    """Something that plugins register."""

    hook: str
    attribute: str
    """Of the registry and of `PluginInfo`."""
    key: str
    """Attribute of an entry that is its name."""
    word: str


KINDS = (
    Kind("egocross_tasks", "tasks", "name", "task"),
    Kind("egocross_methods", "methods", "name", "method"),
    Kind("egocross_graders", "graders", "name", "grader"),
    Kind("egocross_prompt_styles", "prompt_styles", "name", "prompt style"),
    Kind("egocross_model_adapters", "model_adapters", "scheme", "model adapter"),
    Kind("egocross_exporters", "exporters", "name", "exporter"),
    Kind("egocross_importers", "importers", "name", "importer"),
    Kind("egocross_trackers", "trackers", "name", "tracker"),
    Kind("egocross_commands", "commands", "name", "verb"),
)
EVENT_HOOK = "egocross_event"


class PluginInfo(msgspec.Struct, kw_only=True):
    """One plugin as `egocross-eval plugins` shows it."""

    name: str
    distribution: str
    version: str
    tasks: list[str] = []
    methods: list[str] = []
    graders: list[str] = []
    prompt_styles: list[str] = []
    model_adapters: list[str] = []
    exporters: list[str] = []
    importers: list[str] = []
    trackers: list[str] = []
    commands: list[str] = []
    observes: bool = False
    """Is told of a run's events."""
    error: str | None = None
    """Traceback, or what was wrong, if it's broken."""


class Registry:
    """All that plugins registered, by name, and those that observe runs."""

    def __init__(self) -> None:
        self.plugins: list[PluginInfo] = []
        self.tasks: dict[str, Task] = {}
        self.methods: dict[str, MethodType] = {}
        self.graders: dict[str, Grader] = {}
        self.prompt_styles: dict[str, PromptStyle] = {}
        self.model_adapters: dict[str, AdapterType] = {}
        self.exporters: dict[str, Exporter] = {}
        self.importers: dict[str, Importer] = {}
        self.trackers: dict[str, TrackerType] = {}
        self.commands: dict[str, CommandType] = {}
        self._manager = pluggy.PluginManager(hookspecs.GROUP)
        self._manager.add_hookspecs(hookspecs)

    def _find(self, attribute: str, name: str) -> Any:
        known: dict[str, Any] = getattr(self, attribute)
        if name in known:
            return known[name]
        word = next(kind.word for kind in KINDS if kind.attribute == attribute)
        error = unknown(word, name, known)
        broken = [plugin.name for plugin in self.plugins if plugin.error]
        if broken:
            error = UsageError(f"{error}; broken plugins: {', '.join(broken)} (see 'egocross-eval plugins')")
        raise error

    def task(self, name: str) -> Task:
        """The task of that name, or an error with a suggestion; so for the others."""
        found: Task = self._find("tasks", name)
        return found

    def method_type(self, name: str) -> MethodType:
        """The method type of that name."""
        found: MethodType = self._find("methods", name)
        return found

    def grader(self, name: str) -> Grader:
        """The grader of that name."""
        found: Grader = self._find("graders", name)
        return found

    def adapter_type(self, scheme: str) -> AdapterType:
        """The adapter type of that scheme."""
        found: AdapterType = self._find("model_adapters", scheme)
        return found

    def prompt_style(self, name: str) -> PromptStyle:
        """The prompt style of that name."""
        found: PromptStyle = self._find("prompt_styles", name)
        return found

    def exporter(self, name: str) -> Exporter:
        """The exporter of that name."""
        found: Exporter = self._find("exporters", name)
        return found

    def tracker(self, name: str) -> TrackerType:
        """The tracker of that name."""
        found: TrackerType = self._find("trackers", name)
        return found

    def importer(self, name: str) -> Importer:
        """The importer of that name."""
        found: Importer = self._find("importers", name)
        return found

    def benchmarks(self) -> dict[str, Benchmark]:
        """The benchmarks of all tasks, by name."""
        return {task.benchmark.name: task.benchmark for task in self.tasks.values()}

    def benchmark(self, name: str) -> Benchmark:
        """The benchmark of that name; an error says which plugin may be missing."""
        found = self.benchmarks()
        if name not in found:
            raise UsageError(f"{unknown('benchmark', name, found)}; install the plugin that brings its tasks")
        return found[name]

    def add(self, name: str, load: Callable[[], object], *, distribution: str, version: str) -> PluginInfo:
        """Takes in the plugin that `load` returns; `collect` then calls its hooks.

        Whatever goes wrong ends up in the info's `error`: a plugin may fail in any way, also by SystemExit at import;
        only an interrupt goes through.
        """
        info = PluginInfo(name=name, distribution=distribution, version=version)
        self.plugins.append(info)
        try:
            self._manager.register(load(), name=name)
            self._manager.check_pending()
        except KeyboardInterrupt:
            raise
        except BaseException:
            self._break(info)
        return info

    def collect(self) -> None:
        """Calls the registering hooks of all plugins and files what they return, plugin by plugin.

        They are called through pluggy, so that `specname`, `tryfirst`, `trylast` and wrappers mean what they do there.
        """
        for kind in KINDS:
            getattr(self, kind.attribute).clear()
        for info in self.plugins:
            if info.error is None:
                self._collect(info)

    def _collect(self, info: PluginInfo) -> None:
        try:
            for kind in KINDS:
                self._file(info, kind)
            info.observes = self._caller(EVENT_HOOK, info.name) is not None
        except KeyboardInterrupt:
            raise
        except BaseException:
            self._break(info)

    def _file(self, info: PluginInfo, kind: Kind) -> None:
        names: list[str] = getattr(info, kind.attribute)
        names.clear()
        caller = self._caller(kind.hook, info.name)
        if caller is None:
            return
        known = getattr(self, kind.attribute)
        for entries in caller():
            for entry in entries:
                name = getattr(entry, kind.key)
                if name in known:
                    raise ValueError(f"the {kind.word} {name!r} is registered already; choose another name")
                known[name] = entry
                names.append(name)

    def _caller(self, hook: str, name: str) -> pluggy.HookCaller | None:
        """Calls one plugin's implementation of a hook, and everybody's wrappers around it; None where it has none."""
        implementations = getattr(self._manager.hook, hook).get_hookimpls()
        own = [found for found in implementations if not _wraps(found) and found.plugin_name != name]
        if not any(found.plugin_name == name and not _wraps(found) for found in implementations):
            return None
        return self._manager.subset_hook_caller(hook, remove_plugins=[found.plugin for found in own])

    def _break(self, info: PluginInfo) -> None:
        """Takes back what a plugin had registered before it broke. Called while its error is handled."""
        info.error = traceback.format_exc()
        for kind in KINDS:
            names: list[str] = getattr(info, kind.attribute)
            for name in names:
                getattr(self, kind.attribute).pop(name, None)
            names.clear()
        if self._manager.has_plugin(info.name):
            self._manager.unregister(name=info.name)

    def observers(self) -> dict[str, Callable[..., Any]]:
        """By the name of each plugin that observes, what tells it of an event: called as `tell(event=event)`."""
        found: dict[str, Callable[..., Any]] = {}
        for implementation in reversed(getattr(self._manager.hook, EVENT_HOOK).get_hookimpls()):
            caller = self._caller(EVENT_HOOK, implementation.plugin_name)
            if caller is not None:
                found[implementation.plugin_name] = caller
        return found


def _wraps(implementation: pluggy.HookImpl) -> bool:
    return bool(implementation.wrapper or implementation.hookwrapper)


def _entry_points() -> Iterable[EntryPoint]:
    from importlib.metadata import entry_points

    return entry_points(group=hookspecs.GROUP)


def load_registry() -> Registry:
    """A new registry with the built-in plugins and those of installed distributions."""
    from egocross_eval.version import __version__

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
    registry.collect()
    return registry


@functools.cache
def registry() -> Registry:
    """The process-wide registry, loaded at first use."""
    return load_registry()
