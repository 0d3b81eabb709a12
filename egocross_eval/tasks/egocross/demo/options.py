"""Chooses the four options of a question and the letter of the right one."""

from __future__ import annotations

import random
from collections import Counter

from egocross_eval.tasks.egocross.catalogue import LETTERS
from egocross_eval.tasks.egocross.demo.shots import Riddle


class LetterBalance:
    """Hands out letters for the right option so that, question type by question type, all are used equally often."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._used: dict[str, Counter[int]] = {}

    def place(self, riddle: Riddle, *, in_order: bool) -> tuple[tuple[str, ...], str]:
        """Four options, the right one among them, and its letter.

        Where the options are to be `in_order` (sorted as strings, as ENIGMA has them), the wrong ones are chosen so
        that the right one comes to the least used place that it can have among them.
        """
        used = self._used.setdefault(riddle.question_type, Counter())
        below = [text for text in riddle.wrong if text < riddle.answer]
        above = [text for text in riddle.wrong if text > riddle.answer]
        last = len(LETTERS) - 1
        places = [
            place
            for place in range(len(LETTERS))
            if not in_order or (place <= len(below) and last - place <= len(above))
        ]
        place = min(places, key=lambda place: (used[place], self._rng.random()))
        used[place] += 1
        if in_order:
            chosen = sorted([*self._rng.sample(below, place), riddle.answer, *self._rng.sample(above, last - place)])
        else:
            chosen = self._rng.sample(riddle.wrong, last)
            chosen.insert(place, riddle.answer)
        return tuple(chosen), LETTERS[place]
