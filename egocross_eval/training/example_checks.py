"""What is checked of the examples before anything is trained, and what it means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from egocross_eval.counted import agreed, counted
from egocross_eval.frames.pictures import FrameError
from egocross_eval.prompts.untimed import untimed_note
from egocross_eval.schema import Question
from egocross_eval.settings import PromptSettings
from egocross_eval.training.examples import Examples

MOST_OF_ONE_LETTER, LEAST_OF_ONE_LETTER = 0.40, 0.10

FEWEST_FOR_SKEW = 20
"""A letter's share is remarked on outside these bounds, from so many examples on: a quarter each is expected."""

_NAMED = 5


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing found. An `error` stops the training."""

    level: Literal["error", "warning", "note"]
    check: str
    message: str


def check_frames(questions: Iterable[Question], paths_of: Iterable[Sequence[str]]) -> list[Finding]:
    """Every frame that would be trained on is there, and is a picture."""
    from egocross_eval.model_adapters.checkpoints.decoding import read_size

    broken: list[str] = []
    seen: set[str] = set()
    for question, paths in zip(questions, paths_of, strict=True):
        for path in paths:
            if path in seen:
                continue
            seen.add(path)
            try:
                read_size(path)
            except FrameError as error:
                broken.append(f"{question.key}: {error}")
    if not broken:
        return []
    return [
        Finding(level="error", check="frames", message=f"{counted(len(broken), 'unreadable frame')}: {listed(broken)}")
    ]


def check_letters(questions: Sequence[Question]) -> list[Finding]:
    """The right letters are about equally frequent: a model can learn a skew instead of looking."""
    counts = Counter(question.target for question in questions)
    total = len(questions)
    if total < FEWEST_FOR_SKEW:
        return []
    skewed = [
        f"{letter} {counts[letter]} of {total}"
        for letter in dict.fromkeys(label for question in questions for label in question.options)
        if not LEAST_OF_ONE_LETTER <= counts[letter] / total <= MOST_OF_ONE_LETTER
    ]
    if not skewed:
        return []
    message = f"the right letters are skewed ({', '.join(skewed)}): a model may learn the letter instead of the answer"
    return [
        Finding(level="warning", check="letters", message=f"{message}; --passes 4 --shuffle-options evens them out")
    ]


def check_clips(examples: Examples) -> list[Finding]:
    """Examples that carry another question's clip."""
    trained = {question.key for question in examples.train}
    wrong = {key: reason for key, reason in examples.faulty.items() if key in trained}
    if not wrong:
        return []
    which = listed([f"{key}: {reason}" for key, reason in wrong.items()])
    message = (
        f"{counted(len(wrong), 'example')} {agreed(len(wrong), 'carries', 'carry')} another question's "
        f"clip ({which}); --drop-wrong-clips leaves them out"
    )
    return [Finding(level="warning", check="clips", message=message)]


def check_times(questions: Sequence[Question], settings: PromptSettings) -> list[Finding]:
    """Examples that are to be shown with times and have none."""
    note = untimed_note(questions, "examples") if settings.timestamps and settings.frames != "none" else ""
    message = f"the frame times of {note} are not known, so they are shown without"
    return [Finding(level="warning", check="times", message=message)] if note else []


def check_tokens(lengths: Sequence[tuple[str, int]], cutoff: int) -> list[Finding]:
    """Every example, its answer included, fits `cutoff` tokens: LLaMA-Factory would cut it off in silence.

    `lengths`: question and its tokens.
    """
    long = [f"{name} ({counted(tokens, 'token')})" for name, tokens in lengths if tokens >= cutoff]
    if not long:
        return []
    room = max(tokens for _, tokens in lengths) + 64
    message = (
        f"{counted(len(long), 'example')} {agreed(len(long), 'does', 'do')}n't fit cutoff_len {cutoff} and "
        "would lose the end, the answer first: "
        f"{listed(long)}; lower --max-pixels, take --frames uniform:N, or --set cutoff_len={room}"
    )
    return [Finding(level="error", check="tokens", message=message)]


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return "; ".join(names[:_NAMED]) + more
