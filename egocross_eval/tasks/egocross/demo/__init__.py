"""The demo benchmark: small, drawn, with known answers, in the files and folders of the real one.

from egocross_eval.tasks.egocross.demo import write_demo
write_demo(Path("demo-data"))
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from egocross_eval.errors import UsageError, unknown
from egocross_eval.tasks.egocross.catalogue import CELLS, Cell, task_slug
from egocross_eval.tasks.egocross.layout import SUPPORT_FOLDER, TESTBED_FOLDER

__all__ = ["DemoSummary", "write_demo"]

_FOLDERS = (TESTBED_FOLDER, SUPPORT_FOLDER)


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What `write_demo` wrote."""

    root: Path
    questions: int
    """Questions of the testbed."""
    support: int
    """Support examples."""
    training: int
    """Examples of the training split."""
    frames: int
    """Image files."""
    bytes: int
    """Size of all image files together."""


def write_demo(
    root: Path,
    *,
    seed: int = 0,
    per_cell: int = 4,
    training: int = 0,
    training_tasks: Collection[str] = (),
    frame_scale: float = 1.0,
) -> DemoSummary:
    """Writes the demo benchmark below `root`; the same arguments give the same bytes.

    `per_cell`: testbed questions for each of the 25 (dataset, question type) cells; from 2 on all oddities of the
    real testbed are there. `training`: examples of the training split, `egocross_support_set/training.json`, on
    videos of its own; none by default. `training_tasks`: the tasks of these, all by default. `frame_scale`: size of
    the testbed's and support set's frames; 1 is 320 to 384 pixels wide.
    Raises `UsageError` for numbers out of range and where `root` holds a benchmark already, which is never overwritten.
    """
    if per_cell < 1 or training < 0 or not 0.2 <= frame_scale <= 4.0:
        raise UsageError(
            "the demo benchmark needs per_cell of 1 or more, training of 0 or more and frame_scale from 0.2 to 4, not "
            f"{per_cell}, {training} and {frame_scale}"
        )
    cells = _cells_of(training_tasks)
    for name in _FOLDERS:
        if (root / name).exists():
            raise UsageError(f"{root / name} exists already; remove it or name another folder for the demo benchmark")
    from egocross_eval.tasks.egocross.demo.writer import FrameCount, write_support, write_testbed, write_training

    root.mkdir(parents=True, exist_ok=True)
    count = FrameCount()
    scratch = Path(tempfile.mkdtemp(prefix=".demo-", dir=root))
    try:
        questions = write_testbed(scratch, seed, per_cell, frame_scale, count)
        support = write_support(scratch, seed, frame_scale, count)
        if training:
            write_training(scratch, seed, training, count, cells)
        for name in _FOLDERS:
            (scratch / name).rename(root / name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return DemoSummary(root, questions, support, training, count.files, count.bytes)


def _cells_of(tasks: Collection[str]) -> frozenset[Cell]:
    """The cells that have one of the tasks as their domain, category, question type or dataset."""
    slugs = {cell: {task_slug(name) for name in _names(cell)} for cell in CELLS}
    for task in tasks:
        if not any(task in names for names in slugs.values()):
            raise unknown("task", task, sorted(set[str]().union(*slugs.values())))
    return frozenset(cell for cell, names in slugs.items() if not tasks or names & set(tasks))


def _names(cell: Cell) -> tuple[str, ...]:
    return cell.domain, cell.category, cell.question_type, cell.dataset
