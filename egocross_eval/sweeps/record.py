"""What a sweep keeps in its folder: what was planned and what broke, so that its state can be told from there."""

from __future__ import annotations

from pathlib import Path

import msgspec

from egocross_eval.documents import decode_json
from egocross_eval.errors import UsageError
from egocross_eval.files import read_bytes, write_file
from egocross_eval.leaderboard.together import write_board
from egocross_eval.runs.store import RunFolder, pretty_json
from egocross_eval.sweeps.file import Sweep
from egocross_eval.sweeps.planned import Made

SWEEP_FILE = "sweep.json"


class SweepEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A planned run."""

    name: str
    """Of its run folder."""
    model: str
    setting: dict[str, str] = {}
    error: str = ""
    """Why it broke when it was carried out last."""


class SweepRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`sweep.json`."""

    runs: tuple[SweepEntry, ...]


def read_sweep_record(folder: Path) -> SweepRecord | None:
    """The record of a sweep's folder; None for a folder that isn't one. Raises `DataError` where it's malformed."""
    path = folder / SWEEP_FILE
    return decode_json(read_bytes(path, follow=False), SweepRecord, str(path)) if path.is_file() else None


class SweepFolder:
    """Keeps the record and the leaderboard of a sweep up to date."""

    def __init__(self, sweep: Sweep) -> None:
        """Writes the record. Raises `UsageError` where the folder can't be made or written."""
        self._sweep = sweep
        self._errors: dict[str, str] = {}
        try:
            sweep.output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"can't make the folder {sweep.output}: {error.strerror or error}") from error
        self._write()

    def take(self, made: Made) -> str:
        """Notes what became of a run; the text of the leaderboard of all runs that are there, empty if none is."""
        if made.error is not None:
            self._errors[made.planned.name] = str(made.error).splitlines()[0]
            self._write()
        there = [one.folder for one in self._sweep.runs if RunFolder(one.folder).has_results()]
        return write_board(there, self._sweep.output) if there else ""

    def _write(self) -> None:
        entries = [
            SweepEntry(name=one.name, model=one.model, setting=one.setting, error=self._errors.get(one.name, ""))
            for one in self._sweep.runs
        ]
        write_file(self._sweep.output / SWEEP_FILE, pretty_json(SweepRecord(runs=tuple(entries))))
