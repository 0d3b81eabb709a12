"""What the answers to all rotations of the options say of a model's liking for a letter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from egocross_eval.schema import Answer, BenchmarkRecord, Question, Sample
from egocross_eval.scoring.accuracy import accuracy_interval
from egocross_eval.scoring.shortcuts import letters, same_place_by_chance


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A letter under all rotations."""

    letter: str
    share: float
    """Of the answers; all letters have the same for a model that follows what the options say."""
    accuracy: float
    """Where the right option stood behind this letter."""
    low: float
    high: float
    """Ends of the 95 % interval of that."""


class Rotations(msgspec.Struct, frozen=True, kw_only=True):
    """Questions that were answered in all rotations of their options."""

    asked: int
    same_place: int
    """Answered with the same letter every time, whatever stood there."""
    same_option: int
    """Answered with the same option every time."""
    same_place_by_chance: float
    """Share of the questions on which pure guessing has the same letter every time."""
    places: tuple[Place, ...]
    """Of the questions with the commonest number of options."""
    distance: float
    """Share of the answers that would have to move for all letters to be used alike."""
    p: float
    """Chance of so uneven a use if the model likes no letter; by cluster."""


def rotations(samples: Sequence[Sample], benchmark: BenchmarkRecord) -> Rotations | None:
    """What the samples of a run with the method `rotate` show; None where no question was answered in all rotations."""
    import numpy as np

    whole = [sample for sample in samples if _answered(sample)]
    if not whole:
        return None
    shown = [[answer.reading.label for answer in sample.answers] for sample in whole]
    options = [{_shown(sample.question, a)[a.reading.label or ""] for a in sample.answers} for sample in whole]
    common = Counter(tuple(sample.question.options) for sample in whole).most_common(1)[0][0]
    alike = [sample for sample in whole if tuple(sample.question.options) == common]
    rows = [
        [Counter(answer.reading.label for answer in sample.answers)[letter] for letter in common] for sample in alike
    ]
    used = letters(np.array(rows, dtype=np.float64), [_cluster(sample) for sample in alike])
    return Rotations(
        asked=len(whole),
        same_place=sum(len(set(labels)) == 1 for labels in shown),
        same_option=sum(len(texts) == 1 for texts in options),
        same_place_by_chance=same_place_by_chance([len(sample.question.options) for sample in whole]),
        places=tuple(_place(*item, alike, benchmark) for item in zip(common, used.shares, strict=True)),
        distance=used.distance,
        p=used.p,
    )


def _answered(sample: Sample) -> bool:
    """Whether the question was answered readably under each rotation of its options."""
    readings = [answer.reading.label for answer in sample.answers]
    return (
        sample.failure is None
        and len(readings) == len(sample.question.options)
        and all(label in sample.question.options for label in readings)
    )


def _shown(question: Question, answer: Answer) -> dict[str, str]:
    return question.options if answer.ask.options is None else answer.ask.options


def _cluster(sample: Sample) -> str:
    return sample.question.cluster or sample.key


def _place(letter: str, share: float, samples: Sequence[Sample], benchmark: BenchmarkRecord) -> Place:
    known = [sample for sample in samples if sample.question.target in sample.question.options]
    right = [_right_at(sample, letter) for sample in known]
    interval = accuracy_interval(
        right, [_cluster(sample) for sample in known], [benchmark.part(sample.question) for sample in known]
    )
    accuracy = sum(right) / len(right) if right else 0.0
    return Place(letter=letter, share=share, accuracy=accuracy, low=interval.low, high=interval.high)


def _right_at(sample: Sample, letter: str) -> float:
    """1 if the question was answered rightly under the rotation that puts the right option behind the letter."""
    right = sample.question.options[sample.question.target or ""]
    for answer in sample.answers:
        shown = _shown(sample.question, answer)
        if shown[letter] == right:
            return float(shown[answer.reading.label or ""] == right)
    return 0.0
