"""`egocross-eval tasks`: the tasks with their counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from egocross_eval.cli.options import data_options


@click.command(name="tasks")
@click.argument("names", default="*")
@data_options
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def command(names: str, data: Path | None, as_json: bool, **where: Any) -> None:
    """List the tasks, all or those that NAMES (comma-separated, globs) mean, with their numbers of questions.

    Counts are those of the benchmark; with --data or --split demo they are counted in the files.

    \b
    egocross-eval tasks
    egocross-eval tasks '*-localization' --data ROOT
    """
    from tabulate import tabulate

    from egocross_eval.contracts.registry import registry
    from egocross_eval.tasks.select import select_tasks

    tasks = select_tasks(names, registry())
    splits = ["testbed", "support"]
    counts = {task.name: dict(task.counts) for task in tasks}
    if data is not None or where["split"] == "demo":
        from egocross_eval.errors import DataError
        from egocross_eval.runs.plan import RunOptions

        splits = [where["split"]]
        source = RunOptions(data=data, **where).source()
        for task in tasks:
            try:
                counts[task.name] = {source.split: len(task.load(source).questions)}
            except DataError as error:
                click.echo(f"note: {task.name}: {error}", err=True)
                counts[task.name] = {}
    if as_json:
        rows = [{"name": t.name, "kind": t.kind, "description": t.description, "counts": counts[t.name]} for t in tasks]
        click.echo(json.dumps(rows, indent=2))
        return
    table = [[t.name, t.kind, *(counts[t.name].get(split, "") for split in splits), t.description] for t in tasks]
    click.echo(tabulate(table, headers=["task", "selects by", *splits, "what"], disable_numparse=True))
