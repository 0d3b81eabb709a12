"""The one way to read the `results.json` of a folder: believed only as far as it fits the samples that are there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from egocross_eval.errors import UsageError, warn_caller
from egocross_eval.leaderboard.found_intervals import has_found_intervals
from egocross_eval.leaderboard.row_checks import figures_problem, row_problem
from egocross_eval.leaderboard.rows import row_from_run
from egocross_eval.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from egocross_eval.runs.store import RunFolder
    from egocross_eval.schema import Results, Row, RunRecord


def results_in(folder: RunFolder) -> Results:
    """The results of a folder, which others may have made: `results.json` where it belongs to the samples that are
    there and its intervals are those of this version, else computed anew from them (and not written).

    Warns where there is one of other samples; raises `UsageError` where its figures contradict each other.
    """
    from egocross_eval.contracts.registry import registry
    from egocross_eval.leaderboard.derived import compute_results

    written = folder.results() if folder.has_results() else None
    if written is None or written.schema_version != SCHEMA_VERSION:
        return compute_results(folder, registry())
    if not _is_of_its_samples(folder, written):
        warn_caller(
            f"{folder.path}: its results.json is of other samples than are there, so the figures are found anew; "
            f"'egocross-eval score {folder.path}' writes them"
        )
        return compute_results(folder, registry())
    record = folder.record()
    if problem := _problem(record, written):
        raise UsageError(f"{folder.path}: its results can't be: {problem}; egocross-eval score finds them anew")
    return written if _has_found_intervals(record, written) else compute_results(folder, registry())


def current_results(folder: RunFolder) -> Results | None:
    """What `results.json` says; None where it isn't there, is of other samples or another version, has other
    intervals than this version finds, or contradicts itself: then it is to be derived anew."""
    written = folder.results() if folder.has_results() else None
    if written is None or written.schema_version != SCHEMA_VERSION or not _is_of_its_samples(folder, written):
        return None
    record = folder.record()
    return None if _problem(record, written) or not _has_found_intervals(record, written) else written


def is_finished(folder: RunFolder) -> bool:
    """True where a run was derived, and its results are complete. Warns and raises as `results_in`."""
    return folder.exists() and folder.has_results() and results_in(folder).complete


def _is_of_its_samples(folder: RunFolder, written: Results) -> bool:
    return bool(written.samples_hash) and written.samples_hash == folder.samples_hash()


def _row(record: RunRecord, written: Results) -> Row:
    return row_from_run(record, written, source="", origin_hash=written.samples_hash)


def _has_found_intervals(record: RunRecord, written: Results) -> bool:
    """Whether the intervals are those of this version: how they're found isn't part of the version of the files."""
    return has_found_intervals(_row(record, written))


def _problem(record: RunRecord, written: Results) -> str:
    """What can't be in results; empty if nothing is."""
    row = _row(record, written)
    took = (written.seconds, *written.tokens.values())
    if not all(math.isfinite(number) and number >= 0 for number in took):
        return "its tokens or seconds are impossible"
    figures = {f"{name} {part}": one for name, found in written.groups.items() for part, one in found.items()}
    return row_problem(row) or figures_problem(figures)
