"""A run's samples as a `datasets.Dataset`: one row for each question, flat columns, frames that aren't decoded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from egocross_eval.frames.roots import DataRoot, root_that_holds
from egocross_eval.runs import own
from egocross_eval.settings import parted_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from datasets import Dataset

    from egocross_eval.schema import RunRecord, Sample

_TEXT, _WHOLE, _NUMBER = "string", "int64", "float64"

COLUMNS = {
    "id": _WHOLE,
    "question_id": _TEXT,
    "text": _TEXT,
    "option_labels": [_TEXT],
    "options": [_TEXT],
    "target": _TEXT,
    "cluster": _TEXT,
    "outcome": _TEXT,
    "credit": _NUMBER,
    "prediction": _TEXT,
    "rule": _TEXT,
    "reason": _TEXT,
    "outputs": [_TEXT],
    "reasonings": [_TEXT],
    "failure": _TEXT,
    "requests": _WHOLE,
    "input_tokens": _WHOLE,
    "output_tokens": _WHOLE,
    "seconds": _NUMBER,
    "finished_at": _TEXT,
    "frame_names": [_TEXT],
    "frame_times": [_NUMBER],
}
"""Type of each column that every run has; a list of one type is a list of such values. Labels and frames follow."""


def believed_root(record: RunRecord, given: Path | None, samples: Iterable[Sample]) -> Path | None:
    """Where the samples' frames lie: the `given` data root (of several, as `DataSource.root` has them, the one that
    holds them), or what a run that was made here says; None elsewhere."""
    if given is not None:
        return root_that_holds(parted_paths(given), own.frame_names(samples))
    root = Path(record.data_root)
    return root if record.data_root and own.is_own(record) and root.is_dir() else None


def dataset_of(samples: Sequence[Sample], root: Path | None) -> Dataset:
    """One row for each sample, in their order.

    Columns: those of `COLUMNS`; a column for each label of the questions (`domain`, ...), with `label_` before its name
    where it is that of another; and, where `root` is known, `frames`: the frames that were sent, images not decoded
    (dicts of `path` and `bytes`). What isn't known is null. Nothing is read from the frame files.
    """
    from datasets import Dataset, Features, Image, List, Value

    labels = _label_columns(samples)
    kinds = COLUMNS | dict.fromkeys(labels.values(), _TEXT)
    features = {
        name: List(Value(kind[0])) if isinstance(kind, list) else Value(str(kind)) for name, kind in kinds.items()
    }
    columns = {name: [row[name] for row in map(_row, samples)] for name in COLUMNS}
    columns |= {column: [sample.question.label(name) for sample in samples] for name, column in labels.items()}
    if root is not None:
        place = DataRoot(root)
        features["frames"] = List(Image(decode=False))
        columns["frames"] = [_frames(names, place) for names in columns["frame_names"]]
    return Dataset.from_dict(columns, features=Features(features))


def _label_columns(samples: Iterable[Sample]) -> dict[str, str]:
    names = dict.fromkeys(name for sample in samples for name in sample.question.labels)
    return {name: f"label_{name}" if name in (*COLUMNS, "frames") else name for name in names}


def _frames(names: Iterable[str], root: DataRoot) -> list[dict[str, Any]]:
    return [{"path": root.resolve_str(name), "bytes": None} for name in names]


def _row(sample: Sample) -> dict[str, Any]:
    question, cost = sample.question, sample.cost
    frames = sample.answers[0].sent.frames if sample.answers else ()
    return {
        "id": question.id,
        "question_id": sample.key,
        "text": question.text,
        "option_labels": list(question.options),
        "options": list(question.options.values()),
        "target": question.target,
        "cluster": question.cluster,
        "outcome": sample.outcome,
        "credit": sample.grade.credit,
        "prediction": sample.grade.prediction,
        "rule": sample.decision.rule,
        "reason": sample.grade.reason or sample.decision.reason,
        "outputs": [answer.response.text for answer in sample.answers],
        "reasonings": [answer.response.reasoning for answer in sample.answers],
        "failure": f"{sample.failure.kind}: {sample.failure.message}" if sample.failure else None,
        "requests": cost.requests,
        "input_tokens": cost.input_tokens,
        "output_tokens": cost.output_tokens,
        "seconds": cost.seconds,
        "finished_at": sample.finished_at,
        "frame_names": [frame.name for frame in frames],
        "frame_times": [frame.time for frame in frames],
    }
