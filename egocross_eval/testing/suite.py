"""All checks of all that a plugin registers."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from egocross_eval.contracts.registry import PluginInfo, Registry, registry
from egocross_eval.errors import UsageError, did_you_mean
from egocross_eval.testing.adapters import adapter_checks
from egocross_eval.testing.contract import BrokenContractError, Check
from egocross_eval.testing.exporters import exporter_checks
from egocross_eval.testing.graders import grader_checks
from egocross_eval.testing.methods import method_checks
from egocross_eval.testing.others import command_checks, style_checks
from egocross_eval.testing.tasks import task_checks
from egocross_eval.testing.told_once import told_once


def checks(plugin: str, *, specs: Mapping[str, str] | None = None, data: Path | str | None = None) -> list[Check]:
    """The checks of everything that an installed plugin registers.

    Args:
        plugin: the name of its entry point, as `egocross-eval plugins` shows it.
        specs: what to try an adapter, method or exporter by, by scheme or name; by default the example that it gives,
            and an exporter without options.
        data: data root of its tasks, where they need one.

    A fault that breaks several checks is told by the first that meets it; the others name that one in a line. Raises
    `UsageError` for a plugin that isn't installed; what the plugin can't do shows when a check is called.
    """
    known = registry()
    info = next((found for found in known.plugins if found.name == plugin), None)
    if info is None:
        names = [found.name for found in known.plugins]
        raise UsageError(
            f"no plugin {plugin!r} is installed for {sys.executable}{did_you_mean(plugin, names)}: "
            f"'pip install --editable .' in the folder of its package, whose entry point must have that name; "
            f"installed: {', '.join(names)}"
        )
    if info.error:
        return [Check(f"plugin {plugin}: can be loaded", partial(_broken, info))]
    return list(told_once(_checks(known, info, dict(specs or {}), Path(data) if data is not None else None)))


def _broken(info: PluginInfo) -> None:
    raise BrokenContractError(f"the plugin {info.name} can't be loaded:\n{info.error}")


def _checks(known: Registry, info: PluginInfo, specs: Mapping[str, str], data: Path | None) -> Iterator[Check]:
    for scheme in info.model_adapters:
        kind = known.model_adapters[scheme]
        yield from adapter_checks(kind, _spec("adapter", scheme, specs, kind.example))
    for name in info.methods:
        method = known.methods[name]
        yield from method_checks(method, _spec("method", name, specs, method.example or name))
    for name in info.graders:
        yield from grader_checks(known.graders[name])
    for name in info.tasks:
        yield from task_checks(known.tasks[name], data)
    for name in info.prompt_styles:
        yield from style_checks(known.prompt_styles[name])
    for name in info.exporters:
        yield from exporter_checks(known.exporters[name], specs.get(name, name))
    for name in info.commands:
        yield from command_checks(known.commands[name])


def _spec(what: str, name: str, specs: Mapping[str, str], example: str) -> str:
    spec = specs.get(name, example)
    if not spec:
        raise UsageError(
            f"the {what} {name} has no example: give it one, or name a spec to try it by: specs={{{name!r}: ...}}"
        )
    return spec
