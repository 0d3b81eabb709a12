"""One door to the questions of any split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from egocross_eval.errors import unknown
from egocross_eval.tasks.egocross.support import read_support_with_notices
from egocross_eval.tasks.egocross.testbed import read_testbed_with_notices

if TYPE_CHECKING:
    from egocross_eval.contracts.task import DataSource, Questions
    from egocross_eval.tasks.egocross.notices import Notice

_READERS = {
    "testbed": read_testbed_with_notices,
    "support": read_support_with_notices,
    "demo": read_testbed_with_notices,
}

SPLITS: tuple[str, ...] = tuple(_READERS)


def read_split_with_notices(source: DataSource) -> tuple[Questions, list[Notice]]:
    """The questions of `source.split` and what is remarkable about single ones."""
    split = source.split or SPLITS[0]
    if split not in _READERS:
        raise unknown("split", split, _READERS)
    return _READERS[split](source)


def read_split(source: DataSource) -> Questions:
    """The questions of `source.split`; the demo split is a testbed file below a root of its own."""
    questions, notices = read_split_with_notices(source)
    faulty = {notice.question_id: notice.message for notice in notices if notice.kind == "wrong_clip"}
    return msgspec.structs.replace(questions, faulty=faulty)
