"""Ends a run once a planned look shows that it differs from another one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from egocross_eval.contracts.event import Answered, Event
from egocross_eval.errors import EgoCrossError
from egocross_eval.runs.store import RunFolder
from egocross_eval.scoring.comparison import ComparedRun
from egocross_eval.scoring.live import cluster_of, live_look, live_sentence

if TYPE_CHECKING:
    from egocross_eval.runs.session import Session


class StoppedEarlyError(EgoCrossError):
    """A planned look showed the difference; its text is the look in plain words."""


class EarlyStop:
    """Told of a run's events; raises `StoppedEarlyError` at the first of the planned looks that shows a difference.

    It looks when a cluster is answered altogether, and then only if another look is due, so that what it says is what
    `compare --live` says.
    """

    def __init__(self, base: Path, session: Session) -> None:
        other = RunFolder(base)
        record = other.record()
        self._base = ComparedRun(
            label=f"{record.model.name} ({base.name})", record=record, samples=tuple(other.samples())
        )
        self._record = session.record
        self._questions = session.plan.questions
        self._samples = [] if session.is_new else session.folder.samples()
        self._left: dict[str, int] = {}
        for question in session.pending:
            name = cluster_of(question)
            self._left[name] = self._left.get(name, 0) + 1
        self._look = 0

    def __call__(self, event: Event) -> None:
        """Takes in an answered question."""
        if not isinstance(event, Answered):
            return
        self._samples.append(event.sample)
        name = cluster_of(event.sample.question)
        self._left[name] -= 1
        if self._left[name]:
            return
        own = ComparedRun(label=self._record.model.name, record=self._record, samples=tuple(self._samples))
        found = live_look(self._base, own, self._questions)
        if found.look == self._look:
            return
        self._look = found.look
        if found.stop:
            cluster = self._record.benchmark.cluster
            raise StoppedEarlyError(live_sentence(found, self._base.label, own.label, cluster))
