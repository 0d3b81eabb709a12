"""What a run says while it goes on: a bar on a terminal, else a line now and then; and what became of the questions."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from egocross_eval.cli.show.pace import Pace
from egocross_eval.cli.show.terminal import screen_width, shortened
from egocross_eval.contracts.event import Answered, Event, Started, Stopped, Warned
from egocross_eval.counted import counted
from egocross_eval.schema import FILTERED
from egocross_eval.visible import rich_console

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from egocross_eval.schema import Failure, Results, Sample

LABEL = 28
"""Characters that a model's name may take beside the bar."""

LONGEST_SILENCE = 60.0
SHORTEST_SILENCE = 5.0
"""Seconds between lines of progress where there is no bar; the shorter where a twentieth of the questions came in."""


class Reporter:
    """Told of a run's events. A rich progress bar with rate, time left, accuracy so far and failures, where stderr is
    a terminal, and else a line of the same now and then; notes as lines."""

    def __init__(self, label: str, told: set[str] | None = None) -> None:
        """`told` are notes that were shown before, of another model of the same command; new ones join them."""
        self._notes = set() if told is None else told
        self._label = shortened(label, LABEL)
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None
        self._counts: Counter[str] = Counter()
        self._failures: dict[str, tuple[int, Failure]] = {}
        self._failed: Counter[str] = Counter()
        self._unread: Counter[str] = Counter()
        self._cut = self._cached = self._answered = 0
        self._total = self._done = self._told_done = 0
        self._told = time.monotonic()
        self._pace = Pace()

    @property
    def notes(self) -> set[str]:
        """Those that were shown."""
        return self._notes

    def __call__(self, event: Event) -> None:
        """Shows an event."""
        if isinstance(event, Warned):
            if event.message not in self._notes:
                self._notes.add(event.message)
                click.echo(f"note: {event.message}", err=True)
        elif isinstance(event, Started):
            self._start(event)
        elif isinstance(event, Answered):
            self._count(event.sample)
            self._advance()
        elif isinstance(event, Stopped):
            self._stop()

    def print_summary(self, folder: Path, results: Results) -> None:
        """One line per kind of failure with an example, and one for outputs that were not read."""
        if self._cached:
            click.echo(
                f"\n{self._cached} of {counted(self._answered, 'answer')} came from the response cache "
                "(--no-cache asks again)."
            )
        for kind, count in self._failed.most_common():
            click.echo(f"\n{count} failed ({kind}), {self._example(kind)}", err=True)
        if self._failed:
            click.echo(f"the same command with --output {folder} asks the failed questions again", err=True)
        filtered = results.counts.get(FILTERED, 0)
        if filtered:
            example = f", {self._example(FILTERED)}" if FILTERED in self._failures else ""
            click.echo(f"\n{filtered} withheld by a content filter; they count as wrong{example}", err=True)
        unread = results.counts.get("not_parsed", 0)
        if unread:
            told = [f"{n} {reason}" for reason, n in self._unread.most_common()]
            if told and (before := unread - self._unread.total()) > 0:
                told.append(f"{before} before this")
            reasons = ", ".join(told)
            click.echo(f"\n{unread} not parsed{f' ({reasons})' if reasons else ''}; they count as wrong", err=True)
        if 2 * self._unread["tie"] > self._answered:
            click.echo(
                "tie: the answers speak for several options alike, so none is chosen; a model that answers the same "
                "whatever is asked, as baselines do, ties everywhere",
                err=True,
            )
        if self._cut:
            click.echo(f"{counted(self._cut, 'answer')} ended at --max-new-tokens, cut off", err=True)

    def _example(self, kind: str) -> str:
        number, failure = self._failures[kind]
        message = failure.message.strip()
        return f"e.g. question {number}: {message.splitlines()[0][:300] if message else ''}"

    def _start(self, event: Started) -> None:
        """Says what is left to do and shows the bar, with what an earlier run had done already counted."""
        self._counts.update(event.outcomes)
        left = event.total - event.done
        if event.done and left:
            click.echo(f"resuming {event.folder}: {event.done} answered, {left} to ask", err=True)
        elif not left:
            click.echo(f"{event.folder} is finished: nothing to ask", err=True)
        self._total, self._done, self._told_done = event.total, event.done, event.done
        self._told = time.monotonic()
        if left and not sys.stderr.isatty():
            click.echo(f"{self._label}: {counted(left, 'question')} to ask", err=True)
        if not left or not sys.stderr.isatty():
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.table import Column

        self._bar = Progress(
            TextColumn("{task.fields[label]}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),  # where there's little room, the bar is shorter
            TextColumn("{task.fields[pace]}"),
            TextColumn("{task.fields[note]}"),
            console=rich_console(stderr=True, width=screen_width() - len("^C")),
            refresh_per_second=4,
        )
        self._bar.start()
        self._task = self._bar.add_task(
            "", total=event.total, completed=event.done, label=self._label, pace="", note="loading"
        )

    def _advance(self) -> None:
        if self._bar is not None and self._task is not None:
            left = self._pace.text(self._total - self._done - self._answered)
            self._bar.update(self._task, advance=1, pace=left, note=self._note())
        else:
            self._tell_now_and_then()

    def _tell_now_and_then(self) -> None:
        """A line of progress where there is no bar, unless the last was a moment ago or all is done."""
        done, now = self._done + self._answered, time.monotonic()
        silence, news = now - self._told, done - self._told_done
        due = silence >= LONGEST_SILENCE or (silence >= SHORTEST_SILENCE and news >= self._total / 20)
        if not due or done >= self._total:
            return
        self._told, self._told_done = now, done
        note = ", ".join(filter(None, (self._pace.text(self._total - done), self._note())))
        shown = f" ({done / self._total:.0%})" + (f", {note}" if note else "")
        click.echo(f"{self._label}: {done}/{self._total}{shown}", err=True)

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _count(self, sample: Sample) -> None:
        self._counts[sample.outcome] += 1
        self._answered += 1
        known = 0 < sample.cost.requests == sample.cost.cached
        self._cached += known
        if not known:
            self._pace.add()
        self._cut += any(answer.response.finish_reason == "length" for answer in sample.answers)
        failure = sample.failure
        if failure is not None:
            if sample.outcome == "errored":
                self._failed[failure.kind] += 1
            self._failures.setdefault(failure.kind, (sample.question.id, failure))
        elif sample.outcome == "not_parsed":
            self._unread[sample.grade.reason or "no answer"] += 1

    def _note(self) -> str:
        right, wrong = self._counts["right"], self._counts["wrong"]
        unparsed, filtered, errored = (self._counts[name] for name in ("not_parsed", FILTERED, "errored"))
        pieces = []
        if right + wrong:
            pieces.append(f"accuracy {right / (right + wrong + unparsed + filtered):.1%}")
        if unparsed:
            pieces.append(f"{unparsed} not parsed")
        if filtered:
            pieces.append(f"{filtered} filtered")
        if errored:
            pieces.append(f"{errored} failed")
        return ", ".join(pieces)
