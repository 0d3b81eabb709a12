"""How the runs in a folder stand: those of a sweep, planned ones too, or those that lie there."""

from __future__ import annotations

from pathlib import Path

import msgspec

from egocross_eval.leaderboard.collect import run_folders
from egocross_eval.runs.status import RunStatus, run_status
from egocross_eval.runs.store import RunFolder
from egocross_eval.sweeps.record import SweepEntry, read_sweep_record


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A run of several."""

    status: RunStatus
    error: str = ""
    """Why it broke when it was carried out last."""


def standings(path: Path) -> list[Standing]:
    """How the run at `path`, the runs of a sweep or those directly within the folder stand.

    Raises `UsageError` where there are none.
    """
    record = read_sweep_record(path)
    if record is None:
        return [Standing(status=run_status(folder.path)) for folder in run_folders(path)]
    return [_standing(path / entry.name, entry) for entry in record.runs]


def _standing(path: Path, entry: SweepEntry) -> Standing:
    if RunFolder(path).exists():
        return Standing(status=run_status(path), error=entry.error)
    nothing = RunStatus(
        name=entry.name,
        model=entry.model,
        state="new",
        total=0,
        done=0,
        outcomes={},
        failures={},
        rate=None,
        seconds_left=None,
        tokens_in=None,
        tokens_out=None,
        replicas=(),
        waits="",
    )
    return Standing(status=nothing, error=entry.error)
