"""`egocross-eval tasks`: the tasks with their counts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from egocross_eval.command_options import format_option, made_of, options_of_settings, renamed
from egocross_eval.contracts.task import DataOptions

if TYPE_CHECKING:
    from egocross_eval.contracts.task import DataSource, Task


@click.command(name="tasks")
@click.argument("names", default="*")
@options_of_settings(DataOptions)
@format_option("text", "json")
@renamed("--json", "--format", value="json")
def command(names: str, form: str, **where: Any) -> None:
    """List the tasks, all or those that NAMES (comma-separated, globs) mean, with their numbers of questions.

    Counts are those of the benchmark; with --data or --split demo they are counted in the files.

    \b
    egocross-eval tasks
    egocross-eval tasks '*-localization' --data ROOT
    """
    from egocross_eval.cli.show.terminal import fitted_table
    from egocross_eval.contracts.registry import registry
    from egocross_eval.tasks.select import select_tasks

    tasks = select_tasks(names, registry(), across=True)
    counts = {task.name: dict(task.counts) for task in tasks}
    source = made_of(DataOptions, where).source()
    if source.root is not None or source.split:
        counts = {task.name: _counted(task, source) for task in tasks}
    splits = list(dict.fromkeys(split for found in counts.values() for split in found))
    if form == "json":
        rows = [
            {
                "name": t.name,
                "benchmark": t.benchmark.name,
                "kind": t.kind,
                "description": t.description,
                "counts": counts[t.name],
            }
            for t in tasks
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for benchmark in dict.fromkeys(task.benchmark.title for task in tasks):
        own = [task for task in tasks if task.benchmark.title == benchmark]
        table = [
            [t.name, t.kind, *(str(counts[t.name].get(split, "")) for split in splits), t.description] for t in own
        ]
        click.echo(f"{benchmark}\n")
        click.echo(fitted_table(table, ["task", "selects by", *splits, "what"], wrap=-1) + "\n")


def _counted(task: Task, source: DataSource) -> dict[str, int]:
    """Number of questions in the files, by split."""
    from egocross_eval.errors import UsageError
    from egocross_eval.tasks.select import with_split

    try:
        own = with_split(source, task.benchmark)
        return {own.split: len(task.load(own).questions)}
    except UsageError as error:
        click.echo(f"note: {task.name}: {error}", err=True)
        return {}
