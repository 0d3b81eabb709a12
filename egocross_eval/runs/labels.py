"""People's verdicts on a run's answers: `labels.jsonl` in its folder, a line for each, of which the last counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from egocross_eval.documents import decode_json
from egocross_eval.runs.decide import utc_now
from egocross_eval.runs.line_files import append_line, append_to, whole_lines
from egocross_eval.schema import BenchmarkRecord, Sample
from egocross_eval.scoring.corrected import label_order

LABELS_FILE = "labels.jsonl"


class Label(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One verdict."""

    key: str
    prediction: str
    """What was judged: a label is of these words and no others."""
    right: bool | None
    """None: the person couldn't tell."""
    by: str = ""
    at: str = ""


def read_labels(run: Path) -> dict[str, Label]:
    """The last label of each question; empty where there is no file. Raises `DataError` naming a line that is none."""
    path = run / LABELS_FILE
    lines = whole_lines(path, warn=True)
    labels = [decode_json(line, Label, f"{path}, line {number}") for number, _, line in lines]
    return {label.key: label for label in labels}


def write_label(run: Path, sample: Sample, right: bool | None, *, by: str = "") -> None:
    """Appends a verdict on a sample's answer."""
    label = Label(key=sample.key, prediction=sample.decision.text or "", right=right, by=by, at=utc_now())
    path = run / LABELS_FILE
    with append_to(path) as file:
        append_line(file, path, msgspec.json.encode(label))


def verdict(label: Label | None, sample: Sample) -> bool | None:
    """What a person said of this very answer; None where nobody did."""
    return label.right if label is not None and label.prediction == (sample.decision.text or "") else None


def drawn(samples: Iterable[Sample], benchmark: BenchmarkRecord, seed: int) -> Sequence[Sample]:
    """The answers in words in the order in which they are labelled."""
    said = [sample for sample in samples if sample.decision.text and sample.outcome in ("right", "wrong", "unscored")]
    order = label_order([benchmark.part(sample.question) for sample in said], seed)
    return [said[place] for place in order]
