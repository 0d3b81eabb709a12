"""Which runs were made here: only their word is taken for where files lie and which model is to be asked again.

A run folder that others made names a data root and a model spec of their choice. What was made here is remembered in
the user's cache, by what others can't know without having got it from here.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from egocross_eval.directories import cache_directory
from egocross_eval.errors import UsageError
from egocross_eval.frames.roots import root_that_holds
from egocross_eval.settings import parted_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from egocross_eval.schema import RunRecord, Sample

FOLDER = "own-runs"
"""In the cache: an empty file for each run."""


def remember(record: RunRecord) -> None:
    """Notes that a run is made here. Without a cache that can be written to, it counts as a stranger's."""
    with contextlib.suppress(OSError, UsageError):
        mark = _mark(record)
        mark.parent.mkdir(mode=0o700, exist_ok=True)
        mark.touch(mode=0o600)


def is_own(record: RunRecord) -> bool:
    """Whether the run was made here, and its data root and model spec are as they were."""
    try:
        return _mark(record).is_file()
    except (OSError, UsageError):
        return False


def frames_root(record: RunRecord, given: Path | None, folder: Path, samples: Iterable[Sample]) -> Path:
    """The data root to show the samples' frames from: the `given` one (of several, as `DataSource.root` has them, the
    one that holds them), or that of a run that was made here.

    Raises `UsageError` for a run of others: its data root could be any folder of this machine.
    """
    if given is not None:
        return root_that_holds(parted_paths(given), frame_names(samples))
    if not is_own(record):
        raise UsageError(
            f"{folder} wasn't made here (or the cache was emptied), so where its frames lie isn't believed: give the "
            f"data root by --data; the run says {record.data_root!r}"
        )
    return Path(record.data_root)


def frame_names(samples: Iterable[Sample]) -> Iterator[str]:
    """Names of the frames of the samples' questions."""
    return (frame.name for sample in samples for frame in sample.question.frames)


def _mark(record: RunRecord) -> Path:
    known = "\0".join((record.model.spec, record.data_root, record.created_at))
    return cache_directory() / FOLDER / hashlib.sha256(known.encode("utf-8", "surrogatepass")).hexdigest()
