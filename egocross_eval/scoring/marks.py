"""What a judge made of the answers, beside accuracy: marks, and what it wasn't asked or couldn't tell."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from egocross_eval.schema import JudgeFigures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egocross_eval.schema import CorrectedFigures, Sample


def marks_of(marks: Sequence[float]) -> JudgeFigures:
    """The figures of marks that somebody gave, at least one."""
    found = Counter(str(round(mark)) for mark in marks)
    return JudgeFigures(mean_mark=sum(marks) / len(marks), marks={mark: found[mark] for mark in sorted(found)})


class MarkCounter:
    """Counts the marks of a judging's samples as they pass."""

    def __init__(self) -> None:
        self._marks: Counter[str] = Counter()
        self._sum = 0.0
        self._unasked = self._not_judged = 0

    def add(self, sample: Sample) -> None:
        """One more sample. What wasn't said at all has mark 0, as the paper has it."""
        grade = sample.grade
        if grade.outcome in ("right", "wrong", "not_parsed", "filtered"):
            mark = grade.mark or 0.0
            self._sum += mark
            self._marks[str(round(mark))] += 1
        if grade.mark is not None and not sample.answers:
            self._unasked += 1
        if grade.outcome == "unscored" and sample.answers:
            self._not_judged += 1

    def figures(self, corrected: CorrectedFigures | None = None) -> JudgeFigures:
        """All of it, with the `corrected` accuracy."""
        count = self._marks.total()
        return JudgeFigures(
            mean_mark=self._sum / count if count else None,
            marks={mark: self._marks[mark] for mark in sorted(self._marks)},
            unasked=self._unasked,
            not_judged=self._not_judged,
            corrected=corrected,
        )
