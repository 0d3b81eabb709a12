"""Is an exporter one? It writes a small run, and the same run with one answer changed."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
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
from egocross_eval.counted import counted
from egocross_eval.errors import EgoCrossError, UsageError
from egocross_eval.leaderboard.believed import results_in
from egocross_eval.runs.store import RunFolder
from egocross_eval.schema import Figure, Results, Sample
from egocross_eval.testing.contract import Check, Contract, NotPromised

_EXPORT = "writes the run to the path and says in one line what it wrote; raises"
_FEW = 8
"""Questions of a run that is tried, and answers that are changed in turn."""

_REPLACED = "What is at the path already is replaced, or refused with the same error."
_WHOLE = "Of the samples it shows all or none."


def exporter_checks(exporter: Exporter, spec: str) -> Iterator[Check]:
    """The checks of an exporter; `spec` is a form of it, as `export --to` takes it."""
    contract = Contract(f"exporter {exporter.name}", "exporter")
    yield contract.check("writes a run where it should", _EXPORT, partial(_writes, contract, exporter, spec))
    yield contract.check("replaces what it wrote before", _REPLACED, partial(_replaces, contract, exporter, spec))
    yield contract.check("shows all answers or none", _WHOLE, partial(_shows_all, contract, exporter, spec))


class _Tried(NamedTuple):
    """A small run that an exporter takes."""

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


@contextmanager
def _tried(exporter: Exporter, spec: str) -> Iterator[_Tried]:
    """A run of a few questions, or of a whole split where the exporter takes no other."""
    given = split_part(spec, "form", exporter.options, takes_argument=False).options
    options = read_options(f"form {exporter.name}", exporter.options, given)
    with TemporaryDirectory(prefix="egocross-conformance-") as temporary:
        tried = _run_for(exporter, options, Path(temporary) / "few", _FEW)
        try:
            tried.write(Path(temporary) / "first")
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
            run = ExportedRun(
                name=folder.name, record=made.record(), results=results_in(made), samples=list(made.samples())
            )
            return _Tried(exporter, options, folder, run)
    raise NotPromised("no benchmark that it takes can be asked here")


def _writes(contract: Contract, exporter: Exporter, spec: str) -> None:
    with _tried(exporter, spec) as tried:
        output = tried.folder / exporter.default
        around = tried.folder.parent
        before = _hashes(around)
        line = tried.write(output)
        contract.require(output.exists(), _EXPORT, f"nothing is at {output.name}")
        said = isinstance(line, str) and line.strip() and "\n" not in line
        contract.require(bool(said), _EXPORT, f"it says {line!r}, which is no line")
        own = output.relative_to(around).as_posix()
        after = {name: digest for name, digest in _hashes(around).items() if not f"{name}/".startswith(f"{own}/")}
        other = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        contract.require(not other, _EXPORT, f"files beside {output.name} were written or changed: {other}")


def _replaces(contract: Contract, exporter: Exporter, spec: str) -> None:
    with _tried(exporter, spec) as tried:
        few = tried.run.samples[:1]
        once, again = tried.written(), tried.written(samples=few)
        before = _hashes(again)
        try:
            tried.write(again / exporter.default)
        except NotPromised:
            contract.require(_hashes(again) == before, _REPLACED, "it refuses to write a second time, and has written")
            return
        if _hashes(tried.written()) != _hashes(once):
            raise NotPromised("two of its files of one run differ anyway")
        same = _hashes(again) == _hashes(once)
        contract.require(
            same, _REPLACED, f"{exporter.default}, written a second time, isn't what it is when written once"
        )


def _shows_all(contract: Contract, exporter: Exporter, spec: str) -> None:
    with _tried(exporter, spec) as tried:
        samples = list(tried.run.samples)
        changed = range(0, len(samples), -(-len(samples) // _FEW))
        plain = _hashes(tried.written())
        # Where it has times or ids of its own in it, words alone can be looked for.
        look = _places_unchanged if _hashes(tried.written()) == plain else _places_unsaid
        unseen = look(tried, samples, changed)
        if look is _places_unchanged and _hashes(tried.written()) != plain:  # its times went on meanwhile
            unseen = _places_unsaid(tried, samples, changed)
        said = f"{len(unseen)} of {counted(len(changed), 'answer')} left no trace in what it writes"
        keys = ", ".join(samples[place].key for place in unseen[:3])
        contract.require(len(unseen) in (0, len(changed)), _WHOLE, f"{said}: {keys}")
        shown = not unseen or _hashes(tried.written(results=_other_figures(tried.run.results))) != plain
        contract.require(shown, _EXPORT, "neither answers nor figures left a trace in what it writes")


def _places_unchanged(tried: _Tried, samples: list[Sample], places: Sequence[int]) -> list[int]:
    """Places of samples that may have another answer, and what is written is the same."""
    plain = _hashes(tried.written())
    others = {place: [*samples[:place], _otherwise(samples[place]), *samples[place + 1 :]] for place in places}
    return [place for place, other in others.items() if _hashes(tried.written(samples=other)) == plain]


def _places_unsaid(tried: _Tried, samples: list[Sample], places: Sequence[int]) -> list[int]:
    """Places of samples whose answer's words aren't in what is written."""
    marked = [_otherwise(sample, _mark(place)) for place, sample in enumerate(samples)]
    words = _words_in(tried.written(samples=marked))
    return [place for place in places if _mark(place).encode() not in words]


def _mark(place: int) -> str:
    return f"qqq{place}qqq"


def _words_in(folder: Path) -> bytes:
    """All that is written in the folder, with what archives hold."""
    found = b""
    for path in (path for path in sorted(folder.rglob("*")) if path.is_file()):
        found += path.read_bytes()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                found += b"".join(archive.read(name) for name in archive.namelist())
    return found


def _with_another(samples: list[Sample], place: int) -> list[Sample]:
    return [*samples[:place], _otherwise(samples[place]), *samples[place + 1 :]]


def _otherwise(sample: Sample, words: str = "something else") -> Sample:
    """The sample with another answer: a label where there are options, and these words in the response."""
    replace = msgspec.structs.replace
    said = next((label for label in sample.question.options if label != sample.decision.label), words)
    answers = tuple(replace(one, response=replace(one.response, text=words)) for one in sample.answers)
    right = sample.outcome != "right"
    return replace(
        sample,
        answers=answers,
        decision=replace(sample.decision, **{"label" if sample.question.options else "text": said}),
        grade=replace(sample.grade, outcome="right" if right else "wrong", credit=float(right), prediction=said),
    )


def _other_figures(results: Results) -> Results:
    """The results with other accuracies."""

    def other(figure: Figure | None) -> Figure | None:
        if figure is None:
            return None
        right = (figure.right + 1) % (figure.n + 1)
        return msgspec.structs.replace(figure, right=right, accuracy=right / figure.n)

    return msgspec.structs.replace(results, micro=other(results.micro), macro=other(results.macro))


def _hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of each file in the folder, by its path below it."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
