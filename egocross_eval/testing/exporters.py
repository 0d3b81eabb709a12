"""Is an exporter one? It writes a small run, and the same run with one answer changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec

from egocross_eval.api import evaluate
from egocross_eval.contracts.exporter import ExportedRun, Exporter
from egocross_eval.contracts.registry import registry
from egocross_eval.contracts.spec import read_options, split_part
from egocross_eval.counted import counted
from egocross_eval.errors import EgoCrossError, UsageError
from egocross_eval.runs.store import RunFolder
from egocross_eval.schema import Sample
from egocross_eval.testing.contract import Check, Contract, NotPromised

_EXPORT = "writes the run to the path and says in one line what it wrote; raises"
_FEW = 8
"""Questions of a run that is tried, and answers that are changed in turn."""

_WHOLE = "Of the samples it shows all or none."


def exporter_checks(exporter: Exporter, spec: str) -> Iterator[Check]:
    """The checks of an exporter; `spec` is a form of it, as `export --to` takes it."""
    contract = Contract(f"exporter {exporter.name}", "exporter")
    yield contract.check("writes a run where it should", _EXPORT, partial(_writes, contract, exporter, spec))
    yield contract.check("shows all answers or none", _WHOLE, partial(_shows_all, contract, exporter, spec))


class _Tried(NamedTuple):
    """A small run that an exporter takes."""

    exporter: Exporter
    options: Any
    folder: Path
    run: ExportedRun

    def write(self, path: Path, samples: list[Sample]) -> object:
        """What the exporter says; raises `NotPromised` for a run that it refuses."""
        try:
            return self.exporter.export(msgspec.structs.replace(self.run, samples=samples), path, self.options)
        except UsageError as error:
            raise NotPromised(f"it refuses a run of {self.run.record.benchmark.title}: {error}") from error


@contextmanager
def _tried(exporter: Exporter, spec: str) -> Iterator[_Tried]:
    """A run of a few questions, or of a whole split where the exporter takes no other."""
    given = split_part(spec, "form", exporter.options, takes_argument=False).options
    options = read_options(f"form {exporter.name}", exporter.options, given)
    with TemporaryDirectory(prefix="egocross-conformance-") as temporary:
        tried = _run_for(exporter, options, Path(temporary) / "few", _FEW)
        try:
            tried.write(Path(temporary) / "first", list(tried.run.samples))
        except NotPromised:
            tried = _run_for(exporter, options, Path(temporary) / "whole", None)
        yield tried


def _run_for(exporter: Exporter, options: Any, folder: Path, limit: int | None) -> _Tried:
    """A run of the first benchmark that the exporter takes and that can be asked without data of the user's."""
    known = registry()
    for task in known.tasks.values():
        if task.benchmark.name not in (exporter.benchmarks or tuple(known.benchmarks())):
            continue
        for split in task.benchmark.splits:
            try:
                evaluate("baseline:chance", task.name, split=split, limit=limit, output=folder, frames="none")
            except EgoCrossError:
                continue
            made = RunFolder(folder)
            run = ExportedRun(
                name=folder.name, record=made.record(), results=made.results(), samples=list(made.samples())
            )
            return _Tried(exporter, options, folder, run)
    raise NotPromised("no benchmark that it takes can be asked here")


def _writes(contract: Contract, exporter: Exporter, spec: str) -> None:
    with _tried(exporter, spec) as tried:
        before, output = _hashes(tried.folder), tried.folder / exporter.default
        line = tried.write(output, list(tried.run.samples))
        contract.require(output.exists(), _EXPORT, f"nothing is at {output.name}")
        said = isinstance(line, str) and line.strip() and "\n" not in line
        contract.require(bool(said), _EXPORT, f"it says {line!r}, which is no line")
        after = {name: digest for name, digest in _hashes(tried.folder).items() if not _is_in(name, exporter.default)}
        other = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        contract.require(not other, _EXPORT, f"files beside {output.name} were written or changed: {other}")


def _is_in(name: str, output: str) -> bool:
    return name == output or name.startswith(f"{output}/")


def _shows_all(contract: Contract, exporter: Exporter, spec: str) -> None:
    with _tried(exporter, spec) as tried, TemporaryDirectory(prefix="egocross-conformance-") as temporary:
        samples = list(tried.run.samples)
        changed = range(0, len(samples), -(-len(samples) // _FEW))

        def written(name: str, shown: list[Sample]) -> dict[str, str]:
            folder = Path(temporary) / name
            folder.mkdir()
            tried.write(folder / exporter.default, shown)
            return _hashes(folder)

        plain = written("plain", samples)
        if written("again", samples) != plain:
            raise NotPromised("what it writes of one run differs from time to time, so that nothing can be compared")
        unseen = [
            samples[place].key
            for place in changed
            if written(str(place), [*samples[:place], _otherwise(samples[place]), *samples[place + 1 :]]) == plain
        ]
        said = f"{len(unseen)} of {counted(len(changed), 'answer')} left no trace in what it writes"
        contract.require(len(unseen) in (0, len(changed)), _WHOLE, f"{said}: {', '.join(unseen[:3])}")


def _otherwise(sample: Sample) -> Sample:
    """The sample with another answer."""
    replace = msgspec.structs.replace
    said = next((label for label in sample.question.options if label != sample.decision.label), "something else")
    answers = tuple(replace(one, response=replace(one.response, text=said)) for one in sample.answers)
    right = sample.outcome != "right"
    return replace(
        sample,
        answers=answers,
        decision=replace(sample.decision, **{"label" if sample.question.options else "text": said}),
        grade=replace(sample.grade, outcome="right" if right else "wrong", credit=float(right), prediction=said),
    )


def _hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of each file in the folder, by its path below it."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
