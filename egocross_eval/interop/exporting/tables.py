"""Runs as tables: a Parquet file, or a folder that `datasets.load_from_disk` reads."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from egocross_eval.counted import counted
from egocross_eval.files import make_parent, writing
from egocross_eval.interop.exporting.forms import filled_folder
from egocross_eval.runs.dataset import believed_root, dataset_of

if TYPE_CHECKING:
    from egocross_eval.contracts.exporter import ExportedRun
    from egocross_eval.interop.exporting.options import DatasetOptions


@contextlib.contextmanager
def _without_bars() -> Iterator[None]:
    """Keeps the bars of `datasets` from the screen."""
    import datasets

    hidden = datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if not hidden:
            datasets.enable_progress_bars()


def export_parquet(run: ExportedRun, path: Path, options: None) -> str:
    """Writes the rows of `dataset_of` without frames."""
    table = dataset_of(run.samples, None)
    make_parent(path)
    with _without_bars(), writing(path) as file:
        table.to_parquet(file)
    return f"wrote {path}: {counted(len(table), 'row')}, {counted(len(table.column_names), 'column')}"


def export_dataset(run: ExportedRun, path: Path, options: DatasetOptions) -> str:
    """Saves the dataset of a run, frames with their bytes where it has some."""
    given = Path(options.data) if options.data else None
    root = believed_root(run.record, given, run.samples) if options.frames else None
    table = dataset_of(run.samples, root)
    with _without_bars(), filled_folder(path) as scratch:
        table.save_to_disk(scratch)
    frames = "with frames" if root else "names of frames only"
    return f"wrote {path}: {counted(len(table), 'row')}, {counted(len(table.column_names), 'column')}, {frames}"
