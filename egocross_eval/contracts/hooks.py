"""The whole plugin contract. A plugin is a module (or object) with any of these hooks, marked with `hookimpl`.

It's found through the entry-point group `egocross_eval` of an installed distribution:

    [project.entry-points.egocross_eval]
    my-plugin = "my_package.my_module"

Registering hooks return objects that name a factory; a factory imports its engine only when it's called.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from egocross_eval.contracts.model import AdapterType
    from egocross_eval.contracts.style import PromptStyle
    from egocross_eval.contracts.task import Task
    from egocross_eval.schema import Results, RunRecord, Sample

GROUP = "egocross_eval"
"""Entry-point group of plugins."""

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def egocross_tasks() -> Iterable[Task]:  # type: ignore[empty-body]
    """Tasks to register: named sets of questions."""


@hookspec
def egocross_model_adapters() -> Iterable[AdapterType]:  # type: ignore[empty-body]
    """Model adapters to register: each answers to a scheme, the part of a model spec before the colon."""


@hookspec
def egocross_prompt_styles() -> Iterable[PromptStyle]:  # type: ignore[empty-body]
    """Prompt styles to register: how a question is worded."""


@hookspec
def egocross_run_started(record: RunRecord, total: int, done: int) -> None:
    """A run begins (or resumes): `total` questions, of which `done` are already answered."""


@hookspec
def egocross_question_answered(record: RunRecord, sample: Sample) -> None:
    """A sample is on disk."""


@hookspec
def egocross_run_finished(record: RunRecord, results: Results) -> None:
    """A run ended by itself, complete or with errors, and its results are written."""
