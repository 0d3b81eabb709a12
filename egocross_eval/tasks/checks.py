"""What any task's questions must be, so that a run over them can be trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from egocross_eval.contracts.task import Benchmark
from egocross_eval.errors import DataError, UsageError, unknown
from egocross_eval.schema import Question


def check_questions(questions: Sequence[Question], task: str) -> None:
    """Raises `DataError` naming the task and question where two share a key or an id, or a target is no option."""
    for what, values in (("key", [q.key for q in questions]), ("id", [q.id for q in questions])):
        twice = [value for value, count in Counter(values).items() if count > 1]
        if twice:
            raise DataError(f"task {task!r}: {len(twice)} {what}s are those of several questions, e.g. {twice[0]!r}")
    for question in questions:
        if question.options and question.target is not None and question.target not in question.options:
            raise DataError(
                f"task {task!r}: the target of {question.key} is {question.target!r}, "
                f"none of its options {', '.join(question.options)}"
            )


def check_benchmark(benchmark: Benchmark) -> None:
    """Raises `UsageError` where the macro average is over a grouping that the benchmark doesn't declare."""
    names = [grouping.name for grouping in benchmark.groupings]
    if benchmark.macro and benchmark.macro not in names:
        raise UsageError(f"{benchmark.title}: its macro axis is an {unknown('grouping', benchmark.macro, names)}")


def unused_labels(benchmark: Benchmark, questions: Sequence[Question]) -> Iterator[str]:
    """A warning for each label that a grouping goes by and no question has."""
    for label in dict.fromkeys(label for grouping in benchmark.groupings for label in grouping.labels):
        if not any(label in question.labels for question in questions):
            yield f"no question has the label {label!r}, by which {benchmark.title} is grouped"
