"""Runs that exporters are tried with: a few questions, or a whole split where an exporter takes no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any, NamedTuple

import msgspec

from egocross_eval.api import evaluate
from egocross_eval.contracts.exporter import ExportedRun, Exporter
from egocross_eval.contracts.registry import registry
from egocross_eval.contracts.spec import read_options, split_part
from egocross_eval.errors import EgoCrossError, UsageError
from egocross_eval.leaderboard.believed import results_in
from egocross_eval.leaderboard.derived import compute_results
from egocross_eval.runs.store import RunFolder
from egocross_eval.schema import (
    FILTERED,
    Answer,
    Decision,
    Failure,
    Grade,
    Outcome,
    Reading,
    Response,
    RunRecord,
    Sample,
)
from egocross_eval.testing.contract import NotPromised
from egocross_eval.testing.material import HOSTILE

FEW = 8
"""Questions of a run that is tried, and answers that are changed in turn."""


class Tried(NamedTuple):
    """A run that an exporter takes."""

    exporter: Exporter
    options: Any
    folder: Path
    run: ExportedRun

    def write(self, path: Path, **changes: Any) -> object:
        """What the exporter says of the run with these changes; raises `NotPromised` where it refuses it."""
        try:
            return self.exporter.export(msgspec.structs.replace(self.run, **changes), path, self.options)
        except UsageError as error:
            raise NotPromised(f"it refuses a run of {self.run.record.benchmark.title}: {error}") from error

    def written(self, **changes: Any) -> Path:
        """A new folder beside the run's in which it is written with these changes, and nothing else."""
        folder = Path(mkdtemp(dir=self.folder.parent))
        self.write(folder / self.exporter.default, **changes)
        return folder

    def of(self, samples: Sequence[Sample], record: RunRecord | None = None, name: str = "") -> Tried:
        """The same with the run of other samples, and with their results."""
        record = record or self.run.record
        results = compute_results(RunFolder(self.folder), registry(), samples, record=record)
        run = ExportedRun(name=name or self.run.name, record=record, results=results, samples=samples)
        return self._replace(run=run)


@contextmanager
def tried(exporter: Exporter, spec: str) -> Iterator[Tried]:
    """A run of a few questions, of all that can be asked here, or as large as a whole split: the first that the
    exporter takes. Raises `NotPromised` where it takes none."""
    given = split_part(spec, "form", exporter.options, takes_argument=False).options
    options = read_options(f"form {exporter.name}", exporter.options, given)
    with TemporaryDirectory(prefix="egocross-conformance-") as temporary:
        yield _first_taken(_runs(exporter, options, Path(temporary)), Path(temporary) / "first")


def _first_taken(runs: Iterable[Tried], path: Path) -> Tried:
    refused = NotPromised("no benchmark that it takes can be asked here")
    for run in runs:
        try:
            run.write(path)
        except NotPromised as error:
            refused = error
        else:
            return run
    raise refused


def _runs(exporter: Exporter, options: Any, folder: Path) -> Iterator[Tried]:
    for name, limit in (("few", FEW), ("whole", None)):
        for run in _asked(exporter, folder / name, limit):
            made = Tried(exporter, options, folder / name, run)
            yield made
            yield from _as_large_as_splits(made) if limit is None else ()


def _asked(exporter: Exporter, folder: Path, limit: int | None) -> Iterator[ExportedRun]:
    """A run of the first benchmark that the exporter takes and that can be asked without data of the user's."""
    known = registry()
    for task in known.tasks.values():
        if task.benchmark.name not in (exporter.benchmarks or tuple(known.benchmarks())):
            continue
        for split in task.benchmark.splits:
            try:
                evaluate(
                    "baseline:chance",
                    task.name,
                    split=split,
                    limit=limit,
                    output=folder,
                    frames="none",
                    on_event=lambda event: None,
                )
            except EgoCrossError:
                continue
            made = RunFolder(folder)
            yield ExportedRun(
                name=folder.name, record=made.record(), results=results_in(made), samples=list(made.samples())
            )
            return


def _as_large_as_splits(made: Tried) -> Iterator[Tried]:
    """The run as if it were over a whole split, of each whose size is declared. The data of these are mostly the user's
    alone, so its questions stand there again under other keys."""
    record, samples = made.run.record, list(made.run.samples)
    beyond = 1 + max(sample.question.id for sample in samples)
    for split, size in record.benchmark.sizes.items():
        if size > len(samples):
            grown = [_again(samples[n % len(samples)], n // len(samples), beyond) for n in range(size)]
            settings = msgspec.structs.replace(record.settings, split=split)
            yield made.of(grown, msgspec.structs.replace(record, settings=settings, question_count=size))


def _again(sample: Sample, time: int, beyond: int) -> Sample:
    """The sample as another question's; the first time as it is."""
    question = sample.question
    key = f"{sample.key}~{time}" if time else sample.key
    other = msgspec.structs.replace(question, key=key, id=question.id + time * beyond)
    return msgspec.structs.replace(sample, key=key, question=other)


def open_run(made: Tried) -> Tried:
    """The run with a question that failed, one that a content filter withheld, one of which nothing was read, one for
    which no request was needed, and one that wasn't asked, as far as it has so many."""
    *asked, _ = made.run.samples
    changed = [change(sample) for change, sample in zip(_LEFT_OPEN, asked, strict=False)]
    return made.of([*changed, *asked[len(changed) :]])


def _ended(outcome: Outcome, failure: Failure | None, sample: Sample) -> Sample:
    """The sample with no answer but this failure, or empty words, and no decision."""
    answers = tuple(
        msgspec.structs.replace(
            one,
            response=Response(key=one.response.key, text=None if failure else "", failure=failure),
            reading=Reading(reason=outcome),
        )
        for one in sample.answers
    )
    ended = msgspec.structs.replace(sample, answers=answers, decision=Decision(reason=outcome))
    return msgspec.structs.replace(ended, grade=Grade(outcome=outcome))


_LEFT_OPEN: tuple[Callable[[Sample], Sample], ...] = (
    partial(_ended, "errored", Failure(kind="timeout", message="no answer came")),
    partial(_ended, "filtered", Failure(kind=FILTERED, message="withheld")),
    partial(_ended, "not_parsed", None),
    partial(msgspec.structs.replace, answers=()),
)


def hostile_run(made: Tried) -> Tried:
    """The run with words such as no sane model, benchmark or folder has."""
    samples = [_hostile(sample) for sample in made.run.samples]
    return made.of(samples, name="--of=<b>'\"..")


def _hostile(sample: Sample) -> Sample:
    words = f"{HOSTILE}</script>,\"';\t\r\n=1+1"
    question = msgspec.structs.replace(sample.question, text=words)
    answers = tuple(_saying(answer, words) for answer in sample.answers)
    return msgspec.structs.replace(sample, question=question, answers=answers)


def _saying(answer: Answer, words: str) -> Answer:
    sent = msgspec.structs.replace(answer.sent, messages=(("user", words),))
    return msgspec.structs.replace(answer, sent=sent, response=msgspec.structs.replace(answer.response, text=words))
