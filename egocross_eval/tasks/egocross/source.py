"""Where EgoCross's files lie: the given root, the environment's, or the demo in the user's cache."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from egocross_eval.contracts.task import DataSource
from egocross_eval.errors import DataError

DATA_VARIABLE = "EGOCROSS_DATA"


def with_root(source: DataSource) -> DataSource:
    """The source with its data root found; raises `DataError` as `root_of`."""
    return msgspec.structs.replace(source, root=root_of(source))


def root_of(source: DataSource) -> Path:
    """The data root of a source; for the demo split without one, a demo in the user's cache.

    Raises `DataError` where no root is given or it isn't a folder.
    """
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
    if not root.is_dir():
        raise DataError(f"the data root {root} is not a folder")
    return root
