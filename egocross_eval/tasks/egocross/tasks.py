"""The benchmark and its tasks: one per domain, and groups by category, question type and source dataset; each in the
open format too."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from egocross_eval.contracts.task import Benchmark, DataSource, Questions, Target, Task
from egocross_eval.frames.roots import DataRoot
from egocross_eval.schema import Question, Row
from egocross_eval.tasks.egocross.benchmark_record import HUB_DATASET, RECORD, SPLITS, TRAINING
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
from egocross_eval.tasks.egocross.known_questions import closed_questions
from egocross_eval.tasks.egocross.layout import split_files
from egocross_eval.tasks.egocross.openqa import EGOCROSS_OPEN, opened
from egocross_eval.tasks.egocross.source import all_roots, root_of, with_root

Stamp = tuple[tuple[str, int, int], ...]


def _stamp(root: Path, source: DataSource) -> Stamp:
    """Path, size and modification time of every file that a split is read from."""
    status = [(str(path), path.stat()) for path in split_files(root, source)]
    return tuple((path, found.st_size, found.st_mtime_ns) for path, found in status)


@functools.lru_cache(maxsize=4)
def _load_once(source: DataSource, stamp: Stamp) -> Questions:
    """Several tasks are chosen from one reading of the files."""
    from egocross_eval.tasks.egocross.splits import read_split

    return read_split(source)


def read_egocross(source: DataSource) -> Questions:
    """All questions of a split of EgoCross, for tasks that choose among them.

    Raises `DataError` where the data root isn't known, or its files are missing or malformed.
    """
    found = with_root(source)
    loaded = _load_once(found, _stamp(DataRoot(root_of(found)).path, found))
    return msgspec.structs.replace(loaded, data=all_roots(source))


def _selecting(keep: Callable[[Question], bool]) -> Callable[[DataSource], Questions]:
    def load(source: DataSource) -> Questions:
        everything = read_egocross(source)
        return msgspec.structs.replace(everything, questions=tuple(q for q in everything.questions if keep(q)))

    return load


def _published() -> Sequence[Row]:
    from egocross_eval.tasks.egocross.published_rows import published_rows

    return published_rows()


def _read_targets(path: Path) -> Mapping[str, Target]:
    from egocross_eval.tasks.egocross.answers_file import read_answers

    return {name: record.target() for name, record in read_answers(path).items()}


EGOCROSS = Benchmark(
    name=RECORD.name,
    title=RECORD.title,
    splits=SPLITS,
    groupings=RECORD.groupings,
    macro=RECORD.macro,
    cluster=RECORD.cluster,
    sizes=RECORD.sizes,
    prediction_labels=RECORD.prediction_labels,
    published=_published,
    read_targets=_read_targets,
    known_questions=closed_questions,
    training=TRAINING,
    strategies=Path(__file__).parent / "strategies",
    hub_dataset=HUB_DATASET,
    hub_task="closed",
    prior_model="baseline:position",
)


def egocross_tasks() -> list[Task]:
    """`all`, the four domains, then categories, question types and source datasets, named in lower case with
    hyphens; then the same in the open format, from `open` and `open-animal` on."""
    everything = Task(
        name="all",
        benchmark=EGOCROSS,
        kind="group",
        description="every question of the split",
        load=_selecting(lambda question: True),
        counts={"testbed": TESTBED_COUNT, "support": SUPPORT_COUNT * len(DOMAINS)},
    )
    closed = [
        everything,
        *(_by_value("domain", domain) for domain in DOMAINS),
        *(_by_value("category", category) for category in CATEGORIES),
        *(_by_value("question_type", question_type) for question_type in QUESTION_TYPES),
        *(_by_value("dataset", dataset) for dataset in DATASET_DOMAINS),
    ]
    return [*closed, *map(_in_open_format, closed)]


def _in_open_format(task: Task) -> Task:
    return msgspec.structs.replace(
        task,
        name="open" if task.name == "all" else f"open-{task.name}",
        benchmark=EGOCROSS_OPEN,
        description=f"{task.description}{', answered in free words' if task.name == 'all' else ''}",
        load=lambda source: opened(task.load(source)),
    )


def _by_value(field: str, value: str) -> Task:
    """The task of the questions whose label `field` has that value; cells have fields of the same names."""
    kind = field.replace("_", " ")
    counts = {"testbed": sum(cell.count for cell in CELLS if getattr(cell, field) == value)}
    description = kind
    if field == "domain":
        counts["support"] = SUPPORT_COUNT
        description = f"domain: {', '.join(d for d, domain in DATASET_DOMAINS.items() if domain == value)}"
    return Task(
        name=task_slug(value),
        benchmark=EGOCROSS,
        kind=kind,
        description=description,
        load=_selecting(lambda question: question.label(field) == value),
        counts=counts,
    )
