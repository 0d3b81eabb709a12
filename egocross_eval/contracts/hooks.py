"""The whole plugin contract. A plugin is a module (or object) with any of these hooks, marked with `hookimpl`.

It's found through the entry-point group `egocross_eval` of an installed distribution:

    [project.entry-points.egocross_eval]
    my-plugin = "my_package.my_module"

Registering hooks return what they add; whatever imports an engine does so only when it's called.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from egocross_eval.contracts.command import CommandType
    from egocross_eval.contracts.event import Event
    from egocross_eval.contracts.exporter import Exporter
    from egocross_eval.contracts.grader import Grader
    from egocross_eval.contracts.importer import Importer
    from egocross_eval.contracts.method import MethodType
    from egocross_eval.contracts.model import AdapterType
    from egocross_eval.contracts.style import PromptStyle
    from egocross_eval.contracts.task import Task
    from egocross_eval.contracts.tracker import TrackerType

GROUP = "egocross_eval"
"""Entry-point group of plugins."""

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def egocross_tasks() -> Iterable[Task]:  # type: ignore[empty-body]
    """Tasks to register: named sets of questions of a benchmark."""


@hookspec
def egocross_methods() -> Iterable[MethodType]:  # type: ignore[empty-body]
    """Methods to register: how a question is asked, and what is made of the answers."""


@hookspec
def egocross_graders() -> Iterable[Grader]:  # type: ignore[empty-body]
    """Graders to register: what a decision is worth."""


@hookspec
def egocross_prompt_styles() -> Iterable[PromptStyle]:  # type: ignore[empty-body]
    """Prompt styles to register: how a question is worded."""


@hookspec
def egocross_model_adapters() -> Iterable[AdapterType]:  # type: ignore[empty-body]
    """Model adapters to register: each answers to a scheme, the part of a model spec before the colon."""


@hookspec
def egocross_exporters() -> Iterable[Exporter]:  # type: ignore[empty-body]
    """Exporters to register: a run in somebody else's form."""


@hookspec
def egocross_importers() -> Iterable[Importer]:  # type: ignore[empty-body]
    """Importers to register: somebody else's logs as runs."""


@hookspec
def egocross_trackers() -> Iterable[TrackerType]:  # type: ignore[empty-body]
    """Trackers to register: what follows a run that names it (`--track`)."""


@hookspec
def egocross_commands() -> Iterable[CommandType]:  # type: ignore[empty-body]
    """Verbs to add to the command line."""


@hookspec
def egocross_event(event: Event) -> None:
    """Something happened in a run: one of `Started`, `Answered`, `Warned`, `Stopped`, `Ended`.

    Called in a thread of the plugin's own, which is waited for 60 seconds, and 300 where it ended.
    """
