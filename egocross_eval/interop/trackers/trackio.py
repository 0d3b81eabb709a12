"""Trackio: a local database, or a Space; `--track trackio:PROJECT`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from egocross_eval.contracts.event import Event
from egocross_eval.interop.trackers.following import COLUMNS, Identity, follow
from egocross_eval.interop.trackers.installed import library, needed_target


def build(target: str, options: None) -> Callable[[Event], None]:
    """Follows a run in a project. Raises `UsageError` where trackio isn't installed."""
    return follow(_Trackio(library("trackio"), needed_target("trackio", target, "PROJECT")))


class _Trackio:
    def __init__(self, trackio: Any, project: str) -> None:
        self._trackio, self._project = trackio, project
        self._run: Any = None
        self._name = ""
        self._step = 0

    def begin(self, run: Identity) -> None:
        self._name = run.id
        self._run = self._trackio.init(
            project=self._project,
            name=run.name,
            resume="allow",
            config=run.settings,
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )

    def log(self, figures: Mapping[str, float], step: int) -> None:
        self._step = step
        self._run.log(dict(figures), step=step)

    def summary(self, figures: Mapping[str, float]) -> None:
        self._run.log(dict(figures), step=self._step)

    def table(self, rows: Sequence[Sequence[Any]]) -> None:
        table = self._trackio.Table(columns=list(COLUMNS), data=[list(row) for row in rows])
        self._run.log({"samples": table}, step=self._step)

    def files(self, paths: Sequence[Path]) -> None:
        artifact = self._trackio.Artifact(f"run-{self._name}", type="run")
        for path in paths:
            artifact.add_file(str(path))
        self._run.log_artifact(artifact)

    def end(self) -> None:
        self._run.finish()
