"""Whether the questions of a run that somebody made are those of the benchmark: their words, options and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from egocross_eval.counted import counted
from egocross_eval.errors import DataError, UsageError
from egocross_eval.tasks.select import load_questions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from egocross_eval.contracts.registry import Registry
    from egocross_eval.contracts.task import DataOptions, DataSource
    from egocross_eval.schema import Question, RunRecord

_SHOWN = 60
"""Most characters of a value that is said."""


class KnownQuestions(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a split's questions, by key."""

    where: str
    """Who says so, in words."""
    digests: Mapping[str, str]
    questions: Mapping[str, Question] = {}
    """Empty where only digests are known."""


def known_questions(record: RunRecord, registry: Registry, data: DataOptions) -> KnownQuestions | None:
    """The questions of the split that a run says it asked: those that the user names, else those that the benchmark
    knows, else those of the run's tasks where their data are at hand; None where nothing is known. Raises `DataError`
    for files that aren't there, `UsageError` for tasks that aren't the benchmark's."""
    benchmark, split = registry.benchmark(record.benchmark.name), record.settings.split
    source = msgspec.structs.replace(data.source(), split=split, answers_file=None)
    if source.questions_file is not None and source.root is None:
        source = msgspec.structs.replace(source, root=source.questions_file.resolve().parent)
    if source.root is not None:
        return _loaded(record, source, registry, where=str(source.questions_file or source.root))
    if benchmark.known_questions is not None and (digests := benchmark.known_questions(split)):
        return KnownQuestions(where=f"{benchmark.title}, {split}, as published", digests=digests)
    try:
        return _loaded(record, source, registry, where=f"{benchmark.title}, {split}")
    except (DataError, UsageError):  # not at hand, or not all below one root
        return None


def _loaded(record: RunRecord, source: DataSource, registry: Registry, *, where: str) -> KnownQuestions:
    """Those of the tasks that the run names: others of the benchmark may have data of their own."""
    tasks = [registry.task(name) for name in record.settings.tasks]
    if foreign := [task.name for task in tasks if task.benchmark.name != record.benchmark.name]:
        raise UsageError(f"run.json is of {record.benchmark.title}, which has no task {foreign[0]!r}")
    found = {question.key: question for question in load_questions(tasks, source).questions}
    digests = {key: question.digest() for key, question in found.items()}
    return KnownQuestions(where=where, digests=digests, questions=found)


def other_questions(questions: Iterable[Question], known: KnownQuestions) -> list[str]:
    """What isn't as it is known, in words: a line for those that were changed, and one for those that aren't there."""
    changed, foreign = list[str](), list[str]()
    for question in questions:
        if question.key not in known.digests:
            foreign.append(question.key)
        elif question.digest() != known.digests[question.key]:
            changed.append(_said(question, known.questions.get(question.key)))
    kinds = ((changed, "asked otherwise than"), (foreign, "that are not"))
    return [
        f"{counted(len(found), 'question')} {what} in {known.where}, e.g. {found[0]}; if it's of other data, name them "
        f"by --questions or --data"
        for found, what in kinds
        if found
    ]


def _said(question: Question, known: Question | None) -> str:
    """Which question it is, and in what it differs."""
    if known is None:
        return f"{question.key} (words, options, labels or cluster)"
    return f"{question.key} ({next(_differences(question, known), 'the order of its options')})"


def _differences(question: Question, known: Question) -> Iterator[str]:
    for name in dict.fromkeys((*known.labels, *question.labels)):
        if question.label(name) != known.label(name):
            yield f"{name} {question.label(name)!r}, there {known.label(name)!r}"
    for field in ("text", "options", "hidden_options", "needs_options", "cluster"):
        one, other = getattr(question, field), getattr(known, field)
        if one != other:
            yield f"{field.replace('_', ' ')} {_short(one)}, there {_short(other)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
