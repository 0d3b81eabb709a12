"""The EgoCross tasks as a plugin."""

from __future__ import annotations

from collections.abc import Iterable

from egocross_eval.contracts import hookimpl
from egocross_eval.contracts.task import Task
from egocross_eval.tasks.egocross.tasks import egocross_tasks as _tasks


@hookimpl
def egocross_tasks() -> Iterable[Task]:
    """Domains and groups of EgoCross."""
    return _tasks()
