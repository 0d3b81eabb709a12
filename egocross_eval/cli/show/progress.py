"""How far a run is: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from egocross_eval.schema import Sample

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


class Bar:
    """A rich progress bar with rate, time left, accuracy so far and failures; silent when stderr is no terminal."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None
        self._counts: dict[str, int] = {}

    def start(self, total: int, done: list[Sample]) -> None:
        """Shows the bar, with what an earlier run had done already counted."""
        for sample in done:
            self._count(sample)
        if not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.fields[label]}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
            refresh_per_second=4,
        )
        self._bar.start()
        self._task = self._bar.add_task(
            "", total=total, completed=len(done), label=self._label, rate="", note=self._note()
        )

    def sample(self, sample: Sample) -> None:
        """One question further."""
        self._count(sample)
        if self._bar is not None and self._task is not None:
            speed = self._bar.tasks[0].speed
            self._bar.update(self._task, advance=1, rate=f"{speed:.1f}/s" if speed else "", note=self._note())

    def stop(self) -> None:
        """Takes the bar away; may be called again."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _count(self, sample: Sample) -> None:
        self._counts[sample.outcome] = self._counts.get(sample.outcome, 0) + 1

    def _note(self) -> str:
        right, wrong = self._counts.get("right", 0), self._counts.get("wrong", 0)
        unparsed, errored = self._counts.get("not_parsed", 0), self._counts.get("errored", 0)
        pieces = []
        if right + wrong:
            pieces.append(f"accuracy {right / (right + wrong + unparsed):.1%}")
        if unparsed:
            pieces.append(f"{unparsed} not parsed")
        if errored:
            pieces.append(f"{errored} failed")
        return ", ".join(pieces)
