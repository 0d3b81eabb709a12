"""What runs and sweeps say for programs (`--events`): one JSON object a line, of the types here, on standard output."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click
import msgspec

from egocross_eval.contracts.event import Answered, Ended, Event, Started, Stopped, Warned
from egocross_eval.errors import EgoCrossError, UsageError
from egocross_eval.replies import ours_alone
from egocross_eval.runs.decide import utc_now
from egocross_eval.runs.store import RECORD_FILE
from egocross_eval.visible import visible_json

if TYPE_CHECKING:
    from egocross_eval.schema import Figure
    from egocross_eval.sweeps.file import Sweep
    from egocross_eval.sweeps.planned import Made, PlannedRun
    from egocross_eval.sweeps.record import SweepFolder

EVERY = 1.0
"""Seconds between lines of progress, at least."""


class _Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="event"):
    at: str
    """When it was said: UTC, ISO 8601."""


class RunStarted(_Line, frozen=True, kw_only=True, tag="started"):
    """A run begins or goes on."""

    run: str
    """Its folder."""
    model: str
    total: int
    """Questions."""
    done: int
    """Of which so many have an answer."""
    outcomes: dict[str, int]
    """Of those, by outcome."""


class RunProgress(_Line, frozen=True, kw_only=True, tag="progress"):
    """Answers came in; at most one line a second."""

    run: str
    total: int
    done: int
    outcomes: dict[str, int]
    rate: float
    """Questions a second since it started or went on."""
    seconds_left: float | None
    """By that rate; None where nothing came in."""


class RunWarned(_Line, frozen=True, kw_only=True, tag="warned"):
    """Something that a user should know and that stops nothing."""

    run: str
    """Empty before it started."""
    message: str


class RunStopped(_Line, frozen=True, kw_only=True, tag="stopped"):
    """Asking came to its end, in whatever way; what was answered is on disk."""

    run: str
    done: int
    outcomes: dict[str, int]


class Share(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An accuracy as a fraction, with the ends of its 95 % interval."""

    accuracy: float
    low: float
    high: float
    right: int
    n: int


class RunEnded(_Line, frozen=True, kw_only=True, tag="ended"):
    """A run ended by itself; its results.json is written."""

    run: str
    complete: bool
    counts: dict[str, int]
    micro: Share | None
    """None where no right answer is known."""
    macro: Share | None


class RunFailed(_Line, frozen=True, kw_only=True, tag="failed"):
    """A run broke; the same command goes on."""

    run: str | None
    """Its folder; null where it broke before there was one."""
    model: str
    message: str
    exit_code: int


class Refused(_Line, frozen=True, kw_only=True, tag="refused"):
    """What was asked for can't be done: nothing began. The last line, and the only one."""

    message: str
    exit_code: int


class SweepStarted(_Line, frozen=True, kw_only=True, tag="sweep_started"):
    """A sweep begins or goes on."""

    output: str
    runs: list[str]
    """Names of its runs, each a folder in `output`."""


class SweepEnded(_Line, frozen=True, kw_only=True, tag="sweep_ended"):
    """All runs of a sweep had their turn."""

    output: str
    complete: list[str]
    open: list[str]
    """Runs with questions left to ask; the same command goes on."""
    exit_code: int


Line = RunStarted | RunProgress | RunWarned | RunStopped | RunEnded | RunFailed | Refused | SweepStarted | SweepEnded


def check_alone(*, dry_run: bool) -> None:
    """Refuses `--events` of the verb that runs beside what replies with one document."""
    if dry_run or _wants_document():
        raise UsageError(
            "--events says how runs go on, a line at a time; --dry-run and --format json make one reply: leave one out"
        )


def _wants_document() -> bool:
    context = click.get_current_context(silent=True)
    return context is not None and context.params.get("form") == "json"


Say = Callable[[Line], None]


@contextmanager
def event_lines() -> Iterator[Say]:
    """What prints a line at once, with standard output for these lines alone."""
    with ours_alone() as out:
        yield _Lines(out)


class _Lines:
    """Lines on a stream. Who reads them may go away, and the disk of a file be full: no run is lost for that."""

    def __init__(self, out: TextIO) -> None:
        self._out: TextIO | None = out

    def __call__(self, line: Line) -> None:
        if self._out is None:
            return
        try:
            click.echo(visible_json(msgspec.json.encode(line).decode()), file=self._out)
        except OSError as error:
            self._out = None
            click.echo(f"note: nobody takes the lines of --events any longer ({error}); it goes on without", err=True)


@contextmanager
def refusal_told(asked: bool) -> Iterator[None]:
    """Says what is refused before anything began, where lines are asked for; what click refuses is said by `main`."""
    try:
        yield
    except EgoCrossError as error:
        if asked and not _wants_document():
            say_refused(str(error), error.exit_code)
        raise


def say_refused(message: str, code: int) -> None:
    """Says that what was asked for can't be done."""
    with event_lines() as say:
        say(Refused(at=utc_now(), message=message, exit_code=code))


def say_failed(say: Say, folder: Path, model: str, error: EgoCrossError) -> None:
    """Says that the run of a model broke, whose folder was to be this."""
    run = str(folder) if (folder / RECORD_FILE).is_file() else None
    say(RunFailed(at=utc_now(), run=run, model=model, message=str(error), exit_code=error.exit_code))


class EventLines:
    """Told of the events of a run; its judgings follow as runs of their own."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._run = ""
        self._total = self._before = 0
        self._counts: Counter[str] = Counter()
        self._begun = self._told = 0.0

    def __call__(self, event: Event) -> None:
        """Says what it is."""
        if isinstance(event, Started):
            self._start(event)
        elif isinstance(event, Answered):
            self._answered(event)
        elif isinstance(event, Warned):
            self._say(RunWarned(at=utc_now(), run=self._run, message=event.message))
        elif isinstance(event, Stopped):
            self._say(RunStopped(at=utc_now(), run=self._run, done=self._counts.total(), outcomes=dict(self._counts)))
        elif isinstance(event, Ended):
            self._end(event)

    def _start(self, event: Started) -> None:
        self._run, self._total, self._before = event.folder, event.total, event.done
        self._counts = Counter(event.outcomes)
        self._begun = self._told = time.monotonic()
        model = event.record.model.name
        outcomes = dict(self._counts)
        self._say(
            RunStarted(at=utc_now(), run=self._run, model=model, total=event.total, done=event.done, outcomes=outcomes)
        )

    def _answered(self, event: Answered) -> None:
        self._counts[event.sample.outcome] += 1
        now = time.monotonic()
        if now - self._told < EVERY:
            return
        self._told = now
        done = self._counts.total()
        rate = (done - self._before) / (now - self._begun)
        left = (self._total - done) / rate if rate > 0 else None
        outcomes = dict(self._counts)
        self._say(
            RunProgress(
                at=utc_now(),
                run=self._run,
                total=self._total,
                done=done,
                outcomes=outcomes,
                rate=rate,
                seconds_left=left,
            )
        )

    def _end(self, event: Ended) -> None:
        results = event.results
        self._say(
            RunEnded(
                at=utc_now(),
                run=self._run,
                complete=results.complete,
                counts=results.counts,
                micro=share_of(results.micro),
                macro=share_of(results.macro),
            )
        )


def share_of(figure: Figure | None) -> Share | None:
    """For programs; None where there is no figure."""
    if figure is None:
        return None
    return Share(accuracy=figure.accuracy, low=figure.low, high=figure.high, right=figure.right, n=figure.n)


class SweepEvents:
    """In the place of a sweep's bars: the lines of its runs, and of its own start and end."""

    def __init__(self, sweep: Sweep, folder: SweepFolder, say: Say) -> None:
        self._sweep, self._folder, self._say = sweep, folder, say
        self._say(SweepStarted(at=utc_now(), output=str(sweep.output), runs=[one.name for one in sweep.runs]))

    def begin(self, planned: PlannedRun) -> Callable[[Event], None]:
        """What is to be told of a run's events."""
        return EventLines(self._say)

    def end(self, made: Made) -> None:
        """Writes the leaderboard anew, and says what broke."""
        self._folder.take(made)
        if made.error is not None:
            say_failed(self._say, self._sweep.output / made.planned.name, made.planned.model, made.error)

    def print_end(self, made: Sequence[Made]) -> int:
        """Says what is open; the exit code."""
        from egocross_eval.cli.show.sweep_progress import exit_code

        code = exit_code(made)
        complete = [one.planned.name for one in made if one.complete]
        open_ = [one.planned.name for one in made if not one.complete]
        self._say(
            SweepEnded(at=utc_now(), output=str(self._sweep.output), complete=complete, open=open_, exit_code=code)
        )
        return code
