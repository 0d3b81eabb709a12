"""What a run tells while it goes on: to the command line, to a caller in Python and to plugins that observe."""

from __future__ import annotations

import msgspec

from egocross_eval.schema import Results, RunRecord, Sample


class Started(msgspec.Struct, frozen=True, kw_only=True, tag="started"):
    """A run begins or goes on: `total` questions, of which those in `done` have an answer."""

    record: RunRecord
    folder: str
    total: int
    done: int
    outcomes: dict[str, int] = {}
    """Of those that are done, by outcome."""


class Answered(msgspec.Struct, frozen=True, kw_only=True, tag="answered"):
    """A question's sample is on disk."""

    record: RunRecord
    sample: Sample


class Warned(msgspec.Struct, frozen=True, kw_only=True, tag="warned"):
    """Something that a user should know and that doesn't stop the run."""

    message: str


class Stopped(msgspec.Struct, frozen=True, kw_only=True, tag="stopped"):
    """Asking came to its end, in whatever way; what was answered is on disk."""

    record: RunRecord


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag="ended"):
    """A run ended by itself, complete or with failures, and its results are written."""

    record: RunRecord
    results: Results


Event = Started | Answered | Warned | Stopped | Ended
