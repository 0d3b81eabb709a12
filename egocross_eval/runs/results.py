"""From the samples of a run folder to its results."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from egocross_eval.runs.store import RunFolder
from egocross_eval.runs.votes import count_rotations
from egocross_eval.schema import Results, Sample


def compute_results(folder: RunFolder) -> Results:
    """The results of what is in the folder now. Questions that were not asked yet count as missing, in every group."""
    from egocross_eval.scoring.results import score_samples

    samples = folder.samples()
    missing = folder.missing(samples)
    results = score_samples(samples, total=folder.record().question_count, missing=missing)
    return msgspec.structs.replace(
        results,
        samples_hash=folder.samples_hash(),
        answers_hash=answers_hash(samples),
        rotations=count_rotations(samples),
    )


def answers_hash(samples: Iterable[Sample]) -> str:
    """SHA-256 of the right answers that samples were scored against; empty where none is known."""
    known = sorted((s.question.question_id, s.question.answer) for s in samples if s.question.answer is not None)
    return hashlib.sha256(msgspec.json.encode(known)).hexdigest() if known else ""
