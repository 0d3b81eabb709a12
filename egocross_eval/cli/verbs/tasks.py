"""`egocross-eval tasks`: the tasks with their counts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

from egocross_eval.command_options import made_of, options_of_settings, renamed
from egocross_eval.contracts.task import DataOptions
from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.contracts.task import DataSource, Task


class TaskEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A task."""

    name: str
    benchmark: str
    kind: str
    description: str
    counts: dict[str, int]
    """Numbers of questions by split, as far as they are known."""


@click.command(name="tasks")
@click.argument("names", default="*")
@options_of_settings(DataOptions)
@replies()
@renamed("--json", "--format", value="json")
def command(names: str, **where: Any) -> Reply[list[TaskEntry]]:
    """List the tasks, all or those that NAMES (comma-separated, globs) mean, with their numbers of questions.

    Counts are those of the benchmark; with --data, EGOCROSS_DATA or --split demo they are counted in the
    files.

    \b
    egocross-eval tasks
    egocross-eval tasks '*-localization' --data ROOT
    """
    from egocross_eval.contracts.registry import registry
    from egocross_eval.tasks.select import select_tasks

    tasks = select_tasks(names, registry(), across=names == "*")
    source = made_of(DataOptions, where).source()
    in_files = source.root is not None or source.split or os.environ.get("EGOCROSS_DATA")
    counts = _counted(tasks, source) if in_files else {task.name: dict(task.counts) for task in tasks}
    entries = [_entry(task, counts[task.name]) for task in tasks]
    return Reply(value=entries, show=lambda: _show(tasks, counts))


def _show(tasks: Sequence[Task], counts: dict[str, dict[str, int]]) -> None:
    for benchmark in {task.benchmark.name: task.benchmark for task in tasks}.values():
        own = [task for task in tasks if task.benchmark.name == benchmark.name]
        click.echo(f"{benchmark.title} (splits: {', '.join(benchmark.splits)})\n")
        click.echo(_table(own, counts) + "\n")


def _entry(task: Task, counts: dict[str, int]) -> TaskEntry:
    return TaskEntry(
        name=task.name, benchmark=task.benchmark.name, kind=task.kind, description=task.description, counts=counts
    )


def _table(tasks: Sequence[Task], counts: dict[str, dict[str, int]]) -> str:
    """Names, numbers of questions by split as far as they're known, and descriptions."""
    from egocross_eval.cli.show.terminal import fitted_table

    splits = list(dict.fromkeys(split for task in tasks for split in counts[task.name]))
    rows = [
        [task.name, *(str(counts[task.name].get(split, "")) for split in splits), task.description] for task in tasks
    ]
    return fitted_table(rows, ["task", *splits, "what"], wrap=-1, right="l" + "r" * len(splits))


def _counted(tasks: Sequence[Task], source: DataSource) -> dict[str, dict[str, int]]:
    """Numbers of questions in the files, by task and split; what is wrong with them is said once."""
    from egocross_eval.errors import UsageError
    from egocross_eval.tasks.select import load_task, with_split

    counts: dict[str, dict[str, int]] = {}
    faults: dict[str, str] = {}
    for task in tasks:
        counts[task.name] = {}
        try:
            own = with_split(source, task.benchmark)
            counts[task.name] = {own.split: len(load_task(task, own).questions)}
        except UsageError as error:
            faults.setdefault(str(error), task.name)
    for fault, name in faults.items():
        click.echo(f"note: {name}: {fault}", err=True)
    return counts
