"""Rows and samples from the paths that a user names: run folders, folders of runs, exported row files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from egocross_eval.errors import UsageError, warn_caller
from egocross_eval.leaderboard.believed import results_in
from egocross_eval.leaderboard.found_intervals import with_found_intervals
from egocross_eval.leaderboard.links import safe_link
from egocross_eval.leaderboard.published import published_rows
from egocross_eval.leaderboard.rows import read_row_file, row_from_run, source_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egocross_eval.contracts.registry import Registry
    from egocross_eval.runs.store import RunFolder
    from egocross_eval.schema import Row


def rows_from(paths: Iterable[Path], *, relative_to: Path | None = None) -> list[Row]:
    """Rows of run folders, of all runs directly within a folder, and of exported row files, in that order.

    A run's row links to its folder, as seen from `relative_to` (default: the current directory), also where it comes
    from a file beside which the run still is. Intervals of rows from files are found anew from their outcomes. Raises
    `UsageError` naming a path that is none of these; a damaged run within a folder of several is left out with a
    warning.
    """
    rows: list[Row] = []
    for path in paths:
        if path.is_file():
            read = map(with_found_intervals, read_row_file(path))
            rows += [_linked_anew(row, path.parent, relative_to or Path()) for row in read]
            continue
        folders = run_folders(path)
        for folder in folders:
            try:
                rows.append(_row(folder, relative_to or Path()))
            except UsageError as error:
                if len(folders) == 1:
                    raise
                # One damaged run among many must not hide the others.
                warn_caller(f"left out: {error}")
    return rows


def published_beside(rows: Sequence[Row], known: Registry) -> list[Row]:
    """Published rows of the benchmarks that `rows` are of; of all benchmarks where there are no rows."""
    names = {row.benchmark.name for row in rows} or set(known.benchmarks())
    benchmarks = [benchmark for name, benchmark in known.benchmarks().items() if name in names]
    return [row for benchmark in benchmarks for row in published_rows(benchmark, known)]


def run_folders(path: Path) -> list[RunFolder]:
    """The run at `path`, or else the runs directly within it, by name; in the place of a run that was judged, its
    judgings. Raises `UsageError` if there are none."""
    from egocross_eval.runs.judging import judgings
    from egocross_eval.runs.store import RunFolder

    folder = RunFolder(path)
    if folder.exists():
        return judgings(path) or [folder]
    if not path.is_dir():
        raise UsageError(f"{path} does not exist; give run folders, or files that leaderboard --format json wrote")
    inner = [RunFolder(child) for child in sorted(path.iterdir()) if child.is_dir()]
    found = [one for folder in inner if folder.exists() for one in judgings(folder.path) or [folder]]
    if not found:
        raise UsageError(f"{path} holds no run: neither it nor a folder in it has a run.json")
    return found


def _row(folder: RunFolder, base: Path) -> Row:
    results = results_in(folder)
    record = folder.record()
    name = source_name(folder.path, record)
    link = os.path.relpath(folder.path, base).replace(os.sep, "/")
    return row_from_run(
        record,
        results,
        source=name,
        origin_hash=results.samples_hash,
        link=link,
        asked_hash=folder.asked_hash(),
    )


def _linked_anew(row: Row, origin: Path, base: Path) -> Row:
    """A row of a file in `origin` with the link to its run as seen from `base`; without it where the run isn't there:
    files travel."""
    link = safe_link(row.link)
    if link.startswith(("http://", "https://")):
        return replace(row, link=link)
    there = _is_its_run(row, origin / link) if link else False
    return replace(row, link=os.path.relpath(origin / link, base).replace(os.sep, "/") if there else "")


def _is_its_run(row: Row, path: Path) -> bool:
    """Whether the very samples lie there that a row was computed from."""
    from egocross_eval.runs.store import RunFolder

    try:
        return RunFolder(path).samples_hash() == row.origin_hash != ""
    except (OSError, ValueError, UsageError):
        return False
