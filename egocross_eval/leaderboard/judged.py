"""What a judging says beside accuracy, and that accuracy corrected by the labels that lie beside its run."""

from __future__ import annotations

from egocross_eval.runs.labels import read_labels, verdict
from egocross_eval.runs.store import RunFolder
from egocross_eval.schema import CorrectedFigures, JudgeFigures, RunRecord, Sample
from egocross_eval.scoring.corrected import Item, corrected
from egocross_eval.scoring.marks import MarkCounter


class JudgedSamples:
    """Takes the samples of a folder as they pass; of a run, which nobody judged, it makes nothing."""

    def __init__(self, folder: RunFolder, record: RunRecord) -> None:
        self._is_judging = record.judged is not None
        self._labels = read_labels(folder.path.resolve().parents[1]) if self._is_judging else {}
        self._benchmark = record.benchmark
        self._marks = MarkCounter()
        self._items: list[Item] = []

    def add(self, sample: Sample) -> None:
        """One more sample; a question that failed isn't known at all, and no part of what is corrected."""
        if not self._is_judging:
            return
        self._marks.add(sample)
        if not self._labels or sample.outcome == "errored":
            return
        right = verdict(self._labels.get(sample.key), sample)
        self._items.append(
            Item(
                judged=None if sample.outcome == "unscored" else sample.grade.credit,
                label=None if right is None else float(right),
                cluster=sample.question.cluster or sample.key,
                stratum=self._benchmark.part(sample.question),
                said=sample.outcome in ("right", "wrong", "unscored"),
            )
        )

    def figures(self) -> JudgeFigures | None:
        """All of it; None for a run."""
        return self._marks.figures(self._corrected()) if self._is_judging else None

    def _corrected(self) -> CorrectedFigures | None:
        found = corrected(self._items) if self._items else None
        if found is None:
            return None
        micro, macro = ((one.value, one.low, one.high) for one in (found.micro, found.macro))
        return CorrectedFigures(labels=found.labels, micro=micro, macro=macro, trust=found.trust)
