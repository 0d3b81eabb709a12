"""Is an exporter one? It writes a run, the same with one answer changed, one with failures, one of hostile words."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import msgspec

from egocross_eval.contracts.exporter import Exporter
from egocross_eval.counted import counted
from egocross_eval.schema import Figure, Results, Sample
from egocross_eval.testing.contract import Check, Contract, NotPromised
from egocross_eval.testing.exported import FEW, Tried, hostile_run, open_run, tried

_EXPORT = "writes the run to the path and says in one line what it wrote; raises"
_REPLACED = "What is at the path already is replaced, or refused with the same error."
_WHOLE = "Of the samples it shows all or none."
_REFUSED = "raises `UsageError` for a run that can't be written in this form, and leaves nothing at the path then"
_ANY = "Questions of a run may have failed or not have been asked, and its words may be any."


def exporter_checks(exporter: Exporter, spec: str) -> Iterator[Check]:
    """The checks of an exporter; `spec` is a form of it, as `export --to` takes it."""
    contract = Contract(f"exporter {exporter.name}", "exporter")
    yield contract.check("writes a run where it should", _EXPORT, partial(_writes, contract, exporter, spec))
    yield contract.check("replaces what it wrote before", _REPLACED, partial(_replaces, contract, exporter, spec))
    yield contract.check("shows all answers or none", _WHOLE, partial(_shows_all, contract, exporter, spec))
    for name, changed in (("takes or refuses a run with failures", open_run), ("takes hostile words", hostile_run)):
        yield contract.check(name, _ANY, partial(_takes_or_refuses, contract, exporter, spec, changed))


def _writes(contract: Contract, exporter: Exporter, spec: str) -> None:
    with tried(exporter, spec) as made:
        _written_alone(contract, made)


def _takes_or_refuses(contract: Contract, exporter: Exporter, spec: str, changed: Callable[[Tried], Tried]) -> None:
    with tried(exporter, spec) as made:
        try:
            _written_alone(contract, changed(made))
        except NotPromised:
            left = (made.folder / exporter.default).exists()
            contract.require(not left, _REFUSED, f"it refuses the run, and something is at {exporter.default}")


def _written_alone(contract: Contract, made: Tried) -> None:
    """It writes the run to its path and to no other, and says so in a line."""
    output, around = made.folder / made.exporter.default, made.folder.parent
    before = _hashes(around)
    line = made.write(output)
    contract.require(output.exists(), _EXPORT, f"nothing is at {output.name}")
    said = isinstance(line, str) and line.strip() and "\n" not in line
    contract.require(bool(said), _EXPORT, f"it says {line!r}, which is no line")
    own = output.relative_to(around).as_posix()
    after = {name: digest for name, digest in _hashes(around).items() if not f"{name}/".startswith(f"{own}/")}
    other = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    contract.require(not other, _EXPORT, f"files beside {output.name} were written or changed: {other}")


def _replaces(contract: Contract, exporter: Exporter, spec: str) -> None:
    with tried(exporter, spec) as made:
        first, *others = made.run.samples
        once, again = made.written(), made.written(samples=[_otherwise(first), *others])
        before = _hashes(again)
        try:
            made.write(again / exporter.default)
        except NotPromised:
            contract.require(_hashes(again) == before, _REPLACED, "it refuses to write a second time, and has written")
            return
        if _hashes(made.written()) != _hashes(once):
            raise NotPromised("two of its files of one run differ anyway")
        same = _hashes(again) == _hashes(once)
        contract.require(
            same, _REPLACED, f"{exporter.default}, written a second time, isn't what it is when written once"
        )


def _shows_all(contract: Contract, exporter: Exporter, spec: str) -> None:
    with tried(exporter, spec) as made:
        samples = list(made.run.samples)
        changed = range(0, len(samples), -(-len(samples) // FEW))
        plain = _hashes(made.written())
        # Where it has times or ids of its own in it, words alone can be looked for.
        look = _places_unchanged if _hashes(made.written()) == plain else _places_unsaid
        unseen = look(made, samples, changed)
        if look is _places_unchanged and _hashes(made.written()) != plain:  # its times went on meanwhile
            unseen = _places_unsaid(made, samples, changed)
        said = f"{len(unseen)} of {counted(len(changed), 'answer')} left no trace in what it writes"
        keys = ", ".join(samples[place].key for place in unseen[:3])
        contract.require(len(unseen) in (0, len(changed)), _WHOLE, f"{said}: {keys}")
        shown = not unseen or _hashes(made.written(results=_other_figures(made.run.results))) != plain
        contract.require(shown, _EXPORT, "neither answers nor figures left a trace in what it writes")


def _places_unchanged(made: Tried, samples: list[Sample], places: Sequence[int]) -> list[int]:
    """Places of samples that may have another answer, and what is written is the same."""
    plain = _hashes(made.written())
    others = {place: [*samples[:place], _otherwise(samples[place]), *samples[place + 1 :]] for place in places}
    return [place for place, other in others.items() if _hashes(made.written(samples=other)) == plain]


def _places_unsaid(made: Tried, samples: list[Sample], places: Sequence[int]) -> list[int]:
    """Places of samples whose answer's words aren't in what is written."""
    marked = [_otherwise(sample, _mark(place)) for place, sample in enumerate(samples)]
    words = _words_in(made.written(samples=marked))
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
