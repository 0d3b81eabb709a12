"""A run that a verb made, for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from egocross_eval.schema import Results

if TYPE_CHECKING:
    from egocross_eval.api import Run


class MadeRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run, or a judging of one."""

    run: Path
    """Its folder."""
    model: str
    """Model spec; of a judging, the judge's."""
    name: str
    """What tables call it."""
    results: Results
    judgings: tuple[MadeRun, ...] = ()
    """Of free answers."""


class BrokenRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that broke; the same command goes on."""

    run: Path | None
    """Its folder; None where it broke before there was one."""
    model: str
    error: str
    exit_code: int


class MadeRuns(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the models of one command."""

    runs: list[MadeRun]
    broken: list[BrokenRun] = []
    leaderboard: Path | None = None
    """Of several models."""


def made_run(run: Run) -> MadeRun:
    """Of a run whose results are written."""
    record = run.record
    return MadeRun(
        run=run.path,
        model=record.model.spec,
        name=record.judge_title or record.title,
        results=run.results,
        judgings=tuple(map(made_run, run.judgings)),
    )
