"""Where EgoCross's files lie: the given root, the environment's, or the demo in the user's cache."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import msgspec

from egocross_eval.contracts.task import DataSource
from egocross_eval.errors import DataError
from egocross_eval.settings import joined_paths, parted_paths
from egocross_eval.tasks.egocross.layout import SplitFiles, split_parts

DATA_VARIABLE = "EGOCROSS_DATA"


def with_root(source: DataSource) -> DataSource:
    """The source with its one data root found, and where several were given with the files of the others named.

    Raises `DataError` where no root is given, one isn't a folder, or the split is in none of several.
    """
    roots = _roots(source)
    if len(roots) == 1:
        return msgspec.structs.replace(source, root=roots[0])
    return _chosen(source, roots)


def root_of(source: DataSource) -> Path:
    """The data root of a source; for the demo split without one, a demo in the user's cache. Errors as `with_root`."""
    found = with_root(source).root
    assert found is not None
    return found


def all_roots(source: DataSource) -> Path:
    """Every data root of a source, joined as in `DataSource.root`. Errors as `with_root`."""
    return joined_paths(_roots(source))


def _roots(source: DataSource) -> tuple[Path, ...]:
    root = source.root
    if root is None and source.split == "demo":
        from egocross_eval.tasks.egocross.demo.cache import demo_root

        root = demo_root()
    if root is None and os.environ.get(DATA_VARIABLE):
        root = Path(os.environ[DATA_VARIABLE])
    if root is None:
        raise DataError(
            f"no data root: pass --data ROOT or set {DATA_VARIABLE} to the folder that holds egocross_testbed/ "
            f"(without the data, try --split demo)"
        )
    roots = parted_paths(root)
    for one in roots:
        if not one.is_dir():
            raise DataError(f"the data root {one} is not a folder")
    return roots


@functools.lru_cache(maxsize=8)
def _chosen(source: DataSource, roots: tuple[Path, ...]) -> DataSource:
    """The root that holds the split's frames, with the files of the one that holds its questions."""
    from egocross_eval.tasks.egocross.splits import read_split

    home, files = _home(source, roots)
    own = msgspec.structs.replace(source, root=home)
    if not read_split(own).no_frames or len(files.questions) > 1:
        return own
    for root in roots:
        there = msgspec.structs.replace(
            source, root=root, questions_file=files.questions[0], answers_file=files.answers
        )
        if not read_split(there).no_frames:
            return there
    return own


def _home(source: DataSource, roots: tuple[Path, ...]) -> tuple[Path, SplitFiles]:
    """The first root that holds the split's files, and these."""
    faults = []
    for root in roots:
        try:
            return root, split_parts(root.resolve(), source)
        except DataError as error:
            faults.append(str(error))
    raise DataError("; ".join(dict.fromkeys(faults)))
