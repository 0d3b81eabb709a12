"""The questions of several runs, each once, beside what each run made of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from egocross_eval.schema import Question, RunRecord, Sample

_Identity = tuple[str, str, str, tuple[tuple[str, str], ...]]


class LabelledRun(Protocol):
    """What is compared: a run with the name that tables and sentences call it, unique among those at hand."""

    @property
    def label(self) -> str:
        """How it's called."""

    @property
    def record(self) -> RunRecord:
        """How it was made."""

    @property
    def samples(self) -> Sequence[Sample]:
        """One for each question that it was asked."""


class Aligned(NamedTuple):
    """Questions in order of split and id, and each run's sample of them."""

    questions: list[Question]
    samples: list[list[Sample | None]]
    """By run, then by question. None: that run wasn't asked it, or not so far."""


def align(runs: Sequence[LabelledRun]) -> Aligned:
    """Brings the runs' questions together.

    Two runs' questions are the same where benchmark, key, text, options and target are; a question whose target isn't
    known in one run is the one whose target is known in another, if there's just one.
    """
    known: dict[_Identity, set[str]] = {}
    for run in runs:
        for sample in run.samples:
            if sample.question.target is not None:
                known.setdefault(_identity(run, sample.question), set()).add(sample.question.target)
    found: dict[tuple[_Identity, str], Question] = {}
    splits: dict[tuple[_Identity, str], str] = {}
    asked: list[dict[tuple[_Identity, str], Sample]] = []
    for run in runs:
        own = {}
        for sample in run.samples:
            identity = _identity(run, sample.question)
            targets = known.get(identity, set())
            target = sample.question.target or (next(iter(targets)) if len(targets) == 1 else "")
            name = (identity, target)
            own[name] = sample
            splits.setdefault(name, run.record.settings.split)
            if name not in found or found[name].target is None:
                found[name] = sample.question
        asked.append(own)
    order = sorted(found, key=lambda name: (splits[name], found[name].id, name))
    return Aligned([found[name] for name in order], [[own.get(name) for name in order] for own in asked])


def _identity(run: LabelledRun, question: Question) -> _Identity:
    return run.record.benchmark.name, question.key, question.text, tuple(question.options.items())
