"""How often examples come, and with options in which order."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import msgspec

from egocross_eval.errors import UsageError
from egocross_eval.natural_order import natural_key
from egocross_eval.schema import Question

MOST_PASSES = 10_000
"""All passes are written out as examples."""


class Curriculum(msgspec.Struct, frozen=True, kw_only=True):
    """How often examples come, and with options in which order."""

    passes: int = 1
    """How often each example is in the dataset, pass after pass, each in an order of its own."""
    sort_until: float = 0.0
    """Share of all passes up to which the options come sorted."""
    shuffle_from: float = 0.0
    """Share from which they come in random order; in between more and more. 0 for both leaves them as they are."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises `UsageError` for passes or shares that can't be."""
        if not 1 <= self.passes <= MOST_PASSES:
            raise UsageError(f"--passes {self.passes}: a whole number from 1 to {MOST_PASSES:,}")
        if not 0 <= self.sort_until <= self.shuffle_from <= 1:
            raise UsageError(
                f"--shuffle-options {self.sort_until:g}:{self.shuffle_from:g}: two shares from 0 to 1 in order"
            )

    @property
    def reorders(self) -> bool:
        """Whether the order of options is changed at all."""
        return self.shuffle_from > 0


def ordered(questions: Sequence[Question], curriculum: Curriculum) -> Iterator[Question]:
    """The questions pass by pass with their options in the order that the curriculum says; answers move along."""
    rng = random.Random(curriculum.seed)  # noqa: S311 - a repeatable order
    total = len(questions) * curriculum.passes
    place = 0
    for turn in range(curriculum.passes):
        order = list(questions)
        if turn or curriculum.passes > 1:
            rng.shuffle(order)
        for question in order:
            if not curriculum.reorders:
                yield question
            else:
                span = max(curriculum.shuffle_from - curriculum.sort_until, 1e-9)
                shuffled = rng.random() < (place / total - curriculum.sort_until) / span
                yield with_options(question, rng if shuffled else None)
            place += 1


def with_options(question: Question, rng: random.Random | None) -> Question:
    """The question with its options sorted by text, or shuffled by `rng`; letters are dealt anew."""
    texts = sorted(question.options.values(), key=natural_key)
    if rng is not None:
        rng.shuffle(texts)
    right = question.options[question.target or ""]
    options = dict(zip(question.options, texts, strict=True))
    letter = next(letter for letter, text in options.items() if text == right)
    return msgspec.structs.replace(question, options=options, target=letter, references={"answer_text": right})
