"""Reads what a site is made of: runs with their samples, and rows of others."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from egocross_eval.leaderboard.believed import results_in
from egocross_eval.leaderboard.collect import run_folders
from egocross_eval.leaderboard.found_intervals import with_found_intervals
from egocross_eval.leaderboard.rows import read_row_file, row_from_run, source_name
from egocross_eval.leaderboard.site.scripts import slug
from egocross_eval.runs.judging import judged_samples
from egocross_eval.schema import Results, Row, RunRecord, Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egocross_eval.runs.store import RunFolder


class SiteRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the site."""

    slug: str
    """Names it in links; unique."""
    label: str
    """How the site calls it: the model's name, with the folder's where models share one; unique."""
    folder: Path
    """Where it lies."""
    source: str
    """Name of its folder."""
    record: RunRecord
    results: Results
    samples: tuple[Sample, ...]
    asked_hash: str = ""
    """As in `Row`."""


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was named on the command line."""

    runs: tuple[SiteRun, ...]
    rows: tuple[Row, ...]
    """A row for each run, then those of exported row files."""


def read_inputs(paths: Iterable[Path], *, published: bool = True) -> Inputs:
    """Runs of run folders and of folders of runs, and rows of exported files, those of others' publications only if
    `published`.

    A run that is named twice is taken once. Raises `UsageError` naming a path that is none of these, or a file that
    can't be read.
    """
    folders: dict[Path, RunFolder] = {}
    exported: list[Row] = []
    for path in paths:
        if path.is_file():
            read = read_row_file(path)
            exported += [with_found_intervals(row) for row in read if published or not row.published]
        else:
            folders |= {folder.path.resolve(): folder for folder in run_folders(path)}
    runs = _runs(list(folders.values()))
    rows = [
        row_from_run(
            run.record,
            run.results,
            source=run.source,
            origin_hash=run.results.samples_hash,
            asked_hash=run.asked_hash,
        )
        for run in runs
    ]
    return Inputs(runs=tuple(runs), rows=(*rows, *exported))


def _runs(folders: Sequence[RunFolder]) -> list[SiteRun]:
    records = [folder.record() for folder in folders]
    names = [source_name(folder.path, record) for folder, record in zip(folders, records, strict=True)]
    labels = _labels([record.title for record in records], names)
    taken: set[str] = set()
    return [
        SiteRun(
            slug=slug(name, taken),
            label=label,
            folder=folder.path,
            source=name,
            record=record,
            results=results_in(folder),
            samples=tuple(judged_samples(folder)),
            asked_hash=folder.asked_hash(),
        )
        for folder, record, name, label in zip(folders, records, names, labels, strict=True)
    ]


def _labels(models: Sequence[str], names: Sequence[str]) -> list[str]:
    """Models' names, followed by their folders' where several share one, and by a number where even these are alike."""
    shared = Counter(models)
    labels = [f"{model} ({name})" if shared[model] > 1 else model for model, name in zip(models, names, strict=True)]
    seen: Counter[str] = Counter()
    unique = []
    for label in labels:
        seen[label] += 1
        unique.append(label if seen[label] == 1 else f"{label} [{seen[label]}]")
    return unique
