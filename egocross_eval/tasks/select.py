"""From the `--tasks` argument to the questions to ask."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection

import msgspec

from egocross_eval.contracts.faults import guarded
from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.task import Benchmark, DataSource, Questions, Task
from egocross_eval.errors import DataError, EgoCrossError, UsageError, unknown
from egocross_eval.tasks.checks import check_benchmark, check_questions, unused_labels


def select_tasks(text: str, registry: Registry, *, across: bool = False) -> list[Task]:
    """The tasks that a comma-separated list of names and globs means, each once, in the order of first mention.

    A glob means the tasks of one benchmark, that of the first which it matches, as one run asks one benchmark; with
    `across` it means those of all. A name that matches none is a `UsageError` with a suggestion.
    """
    chosen: dict[str, Task] = {}
    for name in (piece.strip() for piece in text.split(",")):
        if not name:
            continue
        matched = [task for task in registry.tasks.values() if fnmatch.fnmatchcase(task.name, name)]
        if not matched:
            registry.task(name)  # raises, naming what is near and which plugins are broken
        near = [task for task in matched if across or task.benchmark.name == matched[0].benchmark.name]
        chosen.update((task.name, task) for task in near)
    if not chosen:
        raise UsageError("--tasks names no task; 'egocross-eval tasks' lists them")
    return list(chosen.values())


def of_another_benchmark(names: Collection[str], tasks: list[Task], registry: Registry) -> str:
    """A clause that says with which task a question of one of these ids or keys is found in another benchmark; empty
    where it's found in none whose data are at hand."""
    here = {task.benchmark.name for task in tasks}
    for task in registry.tasks.values():
        if task.benchmark.name in here:
            continue
        try:
            questions = load_questions([task], DataSource()).questions
        except EgoCrossError:
            continue
        if any(question.key in names for question in questions):
            return f"; for a question of {task.benchmark.title}: --tasks {task.name}"
    return ""


def common_benchmark(tasks: list[Task]) -> Benchmark:
    """The benchmark that all `tasks` belong to; a `UsageError` names those of another."""
    first = tasks[0].benchmark
    others = [task for task in tasks if task.benchmark.name != first.name]
    if others:
        raise UsageError(
            f"the task {others[0].name!r} is of {others[0].benchmark.title}, {tasks[0].name!r} of {first.title}: "
            f"one run asks one benchmark"
        )
    return first


def with_split(source: DataSource, benchmark: Benchmark) -> DataSource:
    """The source with its split, the benchmark's first where none is named; a `UsageError` for one that it hasn't."""
    if not source.split:
        return msgspec.structs.replace(source, split=benchmark.splits[0])
    if source.split not in benchmark.splits:
        raise unknown(f"split of {benchmark.title}", source.split, benchmark.splits)
    return source


def load_questions(tasks: list[Task], source: DataSource) -> Questions:
    """The questions of all `tasks`, each once, in the order of their ids; tasks must share a data root.

    Raises `DataError` where a task's data are missing or no question is left.
    """
    benchmark = common_benchmark(tasks)
    check_benchmark(benchmark)
    source = with_split(source, benchmark)
    merged = load_task(tasks[0], source)
    for task in tasks[1:]:
        loaded = load_task(task, source)
        if loaded.root != merged.root:
            raise UsageError(
                f"task {task.name!r} has its data in {loaded.root}, the others in {merged.root}: run it by itself"
            )
        merged = msgspec.structs.replace(
            merged,
            questions=tuple({q.key: q for q in (*merged.questions, *loaded.questions)}.values()),
            files=tuple(dict.fromkeys((*merged.files, *loaded.files))),
            warnings=tuple(dict.fromkeys((*merged.warnings, *loaded.warnings))),
            faulty={**merged.faulty, **loaded.faulty},
        )
    if not merged.questions:
        where = f" below {merged.root}" if merged.root else ""
        raise DataError(f"no question of split {source.split!r}{where} belongs to: {', '.join(t.name for t in tasks)}")
    ordered = sorted(merged.questions, key=lambda question: (question.id, question.key))
    warnings = (*merged.warnings, *unused_labels(benchmark, ordered))
    return msgspec.structs.replace(merged, questions=tuple(ordered), warnings=warnings)


def load_task(task: Task, source: DataSource) -> Questions:
    """What the task loads, checked; an error of a plugin's code names the task."""
    with guarded("tasks", task.name, f"to load questions of {task.benchmark.title}", kind=DataError):
        loaded = task.load(source)
        if not isinstance(loaded, Questions):
            raise TypeError(f"it gave {loaded!r}, which is no Questions")
    check_questions(loaded.questions, task.name)
    return loaded
