"""Questions whose frames have no known time: how many there are, and by which label they are best named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from egocross_eval.schema import Frame, Question


def is_untimed(frames: Sequence[Frame]) -> bool:
    """Whether the time of any of the frames isn't known."""
    return any(frame.time is None for frame in frames)


def untimed(questions: Sequence[Question]) -> dict[str, int]:
    """How many questions have frames of unknown time, by the value of the label that tells them from the others best.

    That is the one whose fewest values hold just these questions, e.g. the dataset: `{"ENIGMA": 20}`. Where no label
    does, they are counted under no name: `{"": 3}`.
    """
    without = [question for question in questions if is_untimed(question.frames)]
    if not without:
        return {}
    counted: list[dict[str, int]] = []
    for label in without[0].labels:
        counts = Counter(question.label(label) for question in without)
        everywhere = sum(question.label(label) in counts for question in questions)
        if everywhere == len(without) and "" not in counts:
            counted.append(dict(counts))
    # The last of those with as few values: benchmarks name what is wide first.
    return min(reversed(counted), key=len, default={"": len(without)})


def named(counts: Mapping[str, int]) -> str:
    """`ENIGMA 20, EgoPet 3`; empty where they have no name."""
    return ", ".join(f"{name} {count}" for name, count in counts.items() if name)


def untimed_note(questions: Sequence[Question], what: str = "questions") -> str:
    """E.g. `20 of 80 questions (ENIGMA 20)`; empty where all times are known."""
    counts = untimed(questions)
    names = named(counts)
    return f"{sum(counts.values())} of {len(questions)} {what}{f' ({names})' if names else ''}" if counts else ""
