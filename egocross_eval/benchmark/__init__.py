"""The benchmark as data: readers, frame times, preflight, download and the demo benchmark.

`as_dataset(root, split)` hands a split out as a `datasets.Dataset`; `read_split`, `read_testbed` and `read_support`
give typed questions; `verify` checks that every frame is there.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from egocross_eval.benchmark.answers import AnswerRecord, read_answers
    from egocross_eval.benchmark.hub_dataset import as_dataset, to_dataset
    from egocross_eval.benchmark.preflight import Report, verify
    from egocross_eval.benchmark.splits import read_split
    from egocross_eval.benchmark.support import read_support
    from egocross_eval.benchmark.testbed import read_testbed
    from egocross_eval.tasks.base import DataSource, Questions

__all__ = [
    "AnswerRecord",
    "DataSource",
    "Questions",
    "Report",
    "as_dataset",
    "read_answers",
    "read_split",
    "read_support",
    "read_testbed",
    "to_dataset",
    "verify",
]

_HOMES = {
    "AnswerRecord": "egocross_eval.benchmark.answers",
    "DataSource": "egocross_eval.tasks.base",
    "Questions": "egocross_eval.tasks.base",
    "Report": "egocross_eval.benchmark.preflight",
    "as_dataset": "egocross_eval.benchmark.hub_dataset",
    "read_answers": "egocross_eval.benchmark.answers",
    "read_split": "egocross_eval.benchmark.splits",
    "read_support": "egocross_eval.benchmark.support",
    "read_testbed": "egocross_eval.benchmark.testbed",
    "to_dataset": "egocross_eval.benchmark.hub_dataset",
    "verify": "egocross_eval.benchmark.preflight",
}


def __getattr__(name: str) -> Any:
    # Lazy, since each part is needed by some commands only.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
