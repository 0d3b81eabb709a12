"""What `view` shows, for programs."""

from __future__ import annotations

import msgspec

from egocross_eval.schema import Sample


class ViewedQuestion(msgspec.Struct, frozen=True):
    """A question with what one run, or each of two, answered."""

    samples: tuple[Sample, ...]

    @property
    def first(self) -> Sample:
        """Of the first run."""
        return self.samples[0]


class Viewed(msgspec.Struct, frozen=True, kw_only=True):
    """Answers of a run, or of two."""

    runs: list[str]
    """What tables call them, in the order of each question's samples."""
    found: int
    """Questions that were asked for; `--most` says how many of them are here."""
    questions: list[ViewedQuestion]
