"""The benchmark as data: readers, frame times, preflight, download and the demo benchmark.

`as_dataset(root, split)` hands a split out as a `datasets.Dataset`; `read_split`, `read_testbed` and `read_support`
give typed questions; `verify` checks that every frame is there.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from egocross_eval.contracts.task import DataSource, Questions
    from egocross_eval.tasks.egocross.answers_file import AnswerRecord, read_answers
    from egocross_eval.tasks.egocross.hub_dataset import as_dataset, to_dataset
    from egocross_eval.tasks.egocross.preflight import Report, verify
    from egocross_eval.tasks.egocross.splits import read_split
    from egocross_eval.tasks.egocross.support import read_support
    from egocross_eval.tasks.egocross.testbed import read_testbed

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
    "AnswerRecord": "egocross_eval.tasks.egocross.answers_file",
    "DataSource": "egocross_eval.contracts.task",
    "Questions": "egocross_eval.contracts.task",
    "Report": "egocross_eval.tasks.egocross.preflight",
    "as_dataset": "egocross_eval.tasks.egocross.hub_dataset",
    "read_answers": "egocross_eval.tasks.egocross.answers_file",
    "read_split": "egocross_eval.tasks.egocross.splits",
    "read_support": "egocross_eval.tasks.egocross.support",
    "read_testbed": "egocross_eval.tasks.egocross.testbed",
    "to_dataset": "egocross_eval.tasks.egocross.hub_dataset",
    "verify": "egocross_eval.tasks.egocross.preflight",
}


def __getattr__(name: str) -> Any:
    # Lazy, since each part is needed by some commands only.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
