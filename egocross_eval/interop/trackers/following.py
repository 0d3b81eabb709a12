"""Follows a run for a tracker: what is told of it and when. What its own library does is the part of its module."""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from egocross_eval.contracts.event import Answered, Ended, Event, Started, Stopped
from egocross_eval.runs import store
from egocross_eval.schema import NOT_KNOWN, Figure, Results, RunRecord, Sample

FILES = (
    store.RECORD_FILE,
    store.QUESTIONS_FILE,
    store.SAMPLES_FILE,
    store.RESULTS_FILE,
    store.PREDICTIONS_FILE,
    store.LEADERBOARD_FILE,
)
"""Files of the run that a tracker keeps."""

COLUMNS = ("question_id", "group", "target", "prediction", "outcome", "credit", "output")
"""Of the table of samples."""

_LONGEST = 2000
"""Most characters of an output in the table."""

_TIMES = 100
"""How often running figures are told, at most."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What a tracker knows a run by."""

    id: str
    """The same whenever the run is gone on with; unlike that of every other run."""
    name: str
    settings: dict[str, str]
    """How it was made, in flat texts."""


class Client(Protocol):
    """A tracker's own library, for one run."""

    def begin(self, run: Identity) -> None:
        """Starts the run there, or goes on with it."""

    def log(self, figures: Mapping[str, float], step: int) -> None:
        """Takes figures after so many answers."""

    def summary(self, figures: Mapping[str, float]) -> None:
        """Takes the final figures."""

    def table(self, rows: Sequence[Sequence[Any]]) -> None:
        """Takes the table of samples, with `COLUMNS`."""

    def files(self, paths: Sequence[Path]) -> None:
        """Takes the run's files."""

    def end(self) -> None:
        """The run is over."""


class Follower:
    """Tells a client of a run's events."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._counts: Counter[str] = Counter()
        self._folder = Path()
        self._every = 1

    def __call__(self, event: Event) -> None:
        """Passes on what the event says; what the client prints goes where progress goes."""
        with contextlib.redirect_stdout(sys.stderr):
            self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, Started):
            self._folder = Path(event.folder)
            self._counts.update(event.outcomes)
            self._every = max(1, event.total // _TIMES)
            self._client.begin(identity(event.record))
        elif isinstance(event, Answered):
            self._counts[event.sample.outcome] += 1
            if self._counts.total() % self._every == 0:
                self._tell()
        elif isinstance(event, Stopped):
            self._tell()
        elif isinstance(event, Ended):
            self._end(event.results)

    def _tell(self) -> None:
        self._client.log(running(self._counts), self._counts.total())

    def _end(self, results: Results) -> None:
        record = store.RunFolder(self._folder).record()
        self._client.summary(final(results))
        self._client.table([row(sample, record) for sample in store.RunFolder(self._folder).final_samples()])
        self._client.files([path for name in FILES if (path := self._folder / name).is_file()])
        self._client.end()


def identity(record: RunRecord) -> Identity:
    """Told from what a run folder keeps: a resumed run has the same."""
    seed = f"{record.created_at}\0{record.model.identity}\0{record.questions_hash}"
    digest = hashlib.sha256(seed.encode()).hexdigest()[:16]
    return Identity(id=digest, name=f"{record.model.name} {digest[:6]}", settings=flat_settings(record))


def flat_settings(record: RunRecord) -> dict[str, str]:
    """The settings by dotted names, and what was asked of which model."""
    settings = _flat("", msgspec.structs.replace(record.settings, ways=()))
    del settings["ways"]
    # As the questions were asked, where a strategy says otherwise.
    asked = record.settings.values() if record.settings.strategy is not None else {}
    for name, values in asked.items():
        if name == "model":  # of the strategy, whose rules are told
            continue
        owner = next((part for part in ("prompt", "generation") if f"{part}.{name}" in settings), "")
        settings[f"{owner}.{name}" if owner else name] = " or ".join(map(str, values)) or NOT_KNOWN
    return {
        "benchmark": record.benchmark.name,
        "model": record.model.spec,
        "fingerprint": record.model.fingerprint,
        "questions": str(record.question_count),
        "questions_hash": record.questions_hash,
        **settings,
    }


def _flat(prefix: str, value: Any) -> dict[str, str]:
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)  # with its defaults, which files leave out
    if isinstance(value, dict):
        return {name: text for key, inner in value.items() for name, text in _flat(f"{prefix}{key}.", inner).items()}
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return {prefix.removesuffix("."): text}


def running(counts: Mapping[str, int]) -> dict[str, float]:
    """Counts by outcome, and accuracy so far: right over all that count."""
    scored = sum(counts.get(name, 0) for name in ("right", "wrong", "not_parsed", "filtered"))
    accuracy = {"running/accuracy": counts.get("right", 0) / scored} if scored else {}
    return {f"running/{name}": float(count) for name, count in counts.items()} | accuracy


def final(results: Results) -> dict[str, float]:
    """Each figure with the ends of its interval, counts, tokens."""
    figures: dict[str, Figure | None] = {"micro": results.micro, "macro": results.macro}
    figures |= {f"{axis}/{part}": figure for axis, parts in results.groups.items() for part, figure in parts.items()}
    found: dict[str, float] = {}
    for name, figure in figures.items():
        if figure is not None:
            found |= {name: figure.accuracy, f"{name}/low": figure.low, f"{name}/high": figure.high}
    found |= {f"count/{name}": float(count) for name, count in results.counts.items()}
    return found | {f"tokens/{name}": float(count) for name, count in results.tokens.items()}


def row(sample: Sample, record: RunRecord) -> list[Any]:
    """The line of a sample in the table."""
    output = next((answer.response.text for answer in reversed(sample.answers) if answer.response.text), "")
    return [
        sample.key,
        record.benchmark.part(sample.question),
        sample.question.target or "",
        sample.grade.prediction or "",
        sample.outcome,
        sample.grade.credit,
        output[:_LONGEST],
    ]


def follow(client: Client) -> Callable[[Event], None]:
    """What is to be told of a run's events."""
    return Follower(client)
