"""The EgoCross tasks: one per domain, and groups by category, question type and source dataset."""

from __future__ import annotations

import functools
from collections.abc import Callable

import msgspec

from egocross_eval.contracts.task import DataSource, Questions, Task
from egocross_eval.schema import Question
from egocross_eval.tasks.egocross.catalogue import (
    CATEGORIES,
    CELLS,
    DATASET_DOMAINS,
    DOMAINS,
    QUESTION_TYPES,
    SUPPORT_COUNT,
    TESTBED_COUNT,
    task_slug,
)

Stamp = tuple[tuple[str, int, int], ...]


def _stamp(source: DataSource) -> Stamp:
    """Path, size and modification time of every file that a split could be read from."""
    paths = [path for path in (source.questions_file, source.answers_file) if path]
    for folder in (".", "egocross_testbed", "egocross_support_set"):
        paths.extend(sorted((source.root / folder).glob("*.json")))
    status = [(str(path), path.stat()) for path in paths if path.is_file()]
    return tuple((path, found.st_size, found.st_mtime_ns) for path, found in status)


@functools.lru_cache(maxsize=4)
def _load_once(source: DataSource, stamp: Stamp) -> Questions:
    """Several tasks are chosen from one reading of the files."""
    from egocross_eval.tasks.egocross.splits import read_split

    return read_split(source)


def _selecting(keep: Callable[[Question], bool]) -> Callable[[DataSource], Questions]:
    def load(source: DataSource) -> Questions:
        everything = _load_once(source, _stamp(source))
        return msgspec.structs.replace(everything, questions=tuple(q for q in everything.questions if keep(q)))

    return load


def egocross_tasks() -> list[Task]:
    """`all`, the four domains, then categories, question types and source datasets, named in lower case with
    hyphens."""
    everything = Task(
        name="all",
        kind="group",
        description="every question of the split",
        load=_selecting(lambda question: True),
        counts={"testbed": TESTBED_COUNT, "support": SUPPORT_COUNT * len(DOMAINS)},
    )
    return [
        everything,
        *(_by_value("domain", domain) for domain in DOMAINS),
        *(_by_value("category", category) for category in CATEGORIES),
        *(_by_value("question_type", question_type) for question_type in QUESTION_TYPES),
        *(_by_value("dataset", dataset) for dataset in DATASET_DOMAINS),
    ]


def _by_value(field: str, value: str) -> Task:
    """The task of the questions whose `field` has that value; cells have fields of the same names."""
    kind = field.replace("_", " ")
    counts = {"testbed": sum(cell.count for cell in CELLS if getattr(cell, field) == value)}
    description = f"{kind} {value}"
    if field == "domain":
        counts["support"] = SUPPORT_COUNT
        description = f"domain {value}: {', '.join(d for d, domain in DATASET_DOMAINS.items() if domain == value)}"
    return Task(
        name=task_slug(value),
        kind=kind,
        description=description,
        load=_selecting(lambda question: getattr(question, field) == value),
        counts=counts,
    )
