"""The questions of a site whose readers aren't to learn the right answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from egocross_eval.leaderboard.site.pool import Pool
    from egocross_eval.schema import Question, Sample


def without_answers(pool: Pool) -> Pool:
    """The pool as if no right answer were known: what was said stays, what it's worth goes."""
    return pool._replace(
        questions=[_unanswered(question) for question in pool.questions],
        samples=[[sample and _ungraded(sample) for sample in row] for row in pool.samples],
    )


def _unanswered(question: Question) -> Question:
    return replace(question, target=None, references={})


def _ungraded(sample: Sample) -> Sample:
    grade = sample.grade
    if grade.outcome in ("right", "wrong"):
        grade = replace(grade, outcome="unscored", credit=0.0, reason=None)
    return replace(sample, question=_unanswered(sample.question), grade=grade)
