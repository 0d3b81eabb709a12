"""From the `--tasks` argument to the questions to ask."""

from __future__ import annotations

import fnmatch

import msgspec

from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.task import DataSource, Questions, Task
from egocross_eval.errors import DataError, UsageError, unknown


def select_tasks(text: str, registry: Registry) -> list[Task]:
    """The tasks that a comma-separated list of names and globs means, each once, in the order of first mention.

    A name that matches none is a `UsageError` with a suggestion.
    """
    chosen: dict[str, Task] = {}
    for name in (piece.strip() for piece in text.split(",")):
        if not name:
            continue
        matched = [task for task in registry.tasks.values() if fnmatch.fnmatchcase(task.name, name)]
        if not matched:
            raise unknown("task", name, registry.tasks)
        chosen.update((task.name, task) for task in matched)
    if not chosen:
        raise UsageError("--tasks names no task; 'egocross-eval tasks' lists them")
    return list(chosen.values())


def load_questions(tasks: list[Task], source: DataSource) -> Questions:
    """The questions of all `tasks`, each once, in the order of their ids; tasks must share a data root.

    Raises `DataError` where a task's data are missing or no question is left.
    """
    merged: Questions | None = None
    for task in tasks:
        loaded = task.load(source)
        if merged is None:
            merged = loaded
            continue
        if loaded.root != merged.root:
            raise UsageError(
                f"task {task.name!r} has its data in {loaded.root}, the others in {merged.root}: run it by itself"
            )
        merged = msgspec.structs.replace(
            merged,
            questions=tuple({q.question_id: q for q in (*merged.questions, *loaded.questions)}.values()),
            files=tuple(dict.fromkeys((*merged.files, *loaded.files))),
            warnings=tuple(dict.fromkeys((*merged.warnings, *loaded.warnings))),
        )
    if merged is None or not merged.questions:
        names = ", ".join(task.name for task in tasks)
        raise DataError(f"no question of split {source.split!r} below {source.root} belongs to: {names}")
    ordered = sorted(merged.questions, key=lambda question: (question.id, question.question_id))
    return msgspec.structs.replace(merged, questions=tuple(ordered))
