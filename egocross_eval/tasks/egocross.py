"""The EgoCross tasks: one per domain, and groups by category, question type and source dataset."""

from __future__ import annotations

import functools
from collections.abc import Callable

import msgspec

from egocross_eval.benchmark.cells import CELLS, DATASET_DOMAINS, DOMAINS, task_slug
from egocross_eval.schema import Question
from egocross_eval.tasks.base import DataSource, Questions, Task

SUPPORT_PER_DOMAIN = 20
"""Support examples of each domain (the support set holds 80)."""


def load_split(source: DataSource) -> Questions:
    """All questions of one split of EgoCross; the demo split is written to the user's cache at first use."""
    if source.split == "support":
        from egocross_eval.benchmark.support import read_support

        return read_support(source)
    from egocross_eval.benchmark.testbed import read_testbed

    if source.split == "demo" and not source.questions_file:
        from egocross_eval.benchmark.demo_cache import demo_root

        source = msgspec.structs.replace(source, root=demo_root())
    return read_testbed(source)


@functools.lru_cache(maxsize=4)
def _load_once(source: DataSource) -> Questions:
    return load_split(source)


def _selecting(keep: Callable[[Question], bool]) -> Callable[[DataSource], Questions]:
    def load(source: DataSource) -> Questions:
        everything = _load_once(source)
        return msgspec.structs.replace(everything, questions=tuple(q for q in everything.questions if keep(q)))

    return load


def _test_count(keep: Callable[[str, str, str], bool]) -> int:
    return sum(cell.count for cell in CELLS if keep(cell.dataset, cell.category, cell.question_type))


def egocross_tasks() -> list[Task]:
    """`all`, the four domains, then categories, question types and source datasets, named in lower case with hyphens."""
    tasks = [
        Task(
            name="all",
            kind="group",
            description="every question of the split",
            load=_selecting(lambda question: True),
            counts={"testbed": _test_count(lambda *cell: True), "support": SUPPORT_PER_DOMAIN * len(DOMAINS)},
        )
    ]
    for domain in DOMAINS:
        datasets = [dataset for dataset, of in DATASET_DOMAINS.items() if of == domain]
        tasks.append(
            Task(
                name=domain,
                kind="domain",
                description=f"questions on {' and '.join(datasets)}",
                load=_selecting(lambda question, domain=domain: question.domain == domain),  # type: ignore[misc]
                counts={
                    "testbed": _test_count(lambda d, c, t, datasets=datasets: d in datasets),  # type: ignore[misc]
                    "support": SUPPORT_PER_DOMAIN,
                },
            )
        )
    for kind, values in (
        ("category", dict.fromkeys(cell.category for cell in CELLS)),
        ("question type", dict.fromkeys(cell.question_type for cell in CELLS)),
        ("dataset", dict.fromkeys(cell.dataset for cell in CELLS)),
    ):
        tasks.extend(_by_value(kind, value) for value in values)
    return tasks


def _by_value(kind: str, value: str) -> Task:
    field = kind.replace(" ", "_")
    position = ("dataset", "category", "question_type").index(field)
    return Task(
        name=task_slug(value),
        kind=kind,
        description=f"{kind} {value}",
        load=_selecting(lambda question: getattr(question, field) == value),
        counts={"testbed": _test_count(lambda *cell: cell[position] == value)},
    )
