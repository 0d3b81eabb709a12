"""Stand-ins for a model: how it answers whatever it is asked, so that every branch of a method is reached."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from egocross_eval.schema import Ask, Failure, Question, Response
from egocross_eval.schema.answer import FILTERED
from egocross_eval.testing.material import HOSTILE, most_options


class Shown(NamedTuple):
    """What a model sees of an ask."""

    question: Question
    ask: Ask
    options: Mapping[str, str]
    """Text by label, as shown."""
    labels: Sequence[str]
    """Labels to choose among; empty: it answers in words."""
    scored: bool
    """It answers by scores for the labels, not in words."""


Habit = Callable[[Shown], Response]

_LIKELY, _UNLIKELY = -0.1, -3.0
"""Log-probabilities."""

_SAYS = 0.5
"""Share of the asks that one who often says nothing answers."""


def _chosen(shown: Shown, label: str) -> Response:
    if not shown.scored:
        return Response(key="", text=label)
    return Response(key="", scores={one: _LIKELY if one == label else _UNLIKELY for one in shown.labels})


def _said(shown: Shown, text: str) -> Response:
    """A text, also where it's no label; scores where they are asked for, as whatever is read gives some."""
    return _chosen(shown, shown.labels[-1]) if shown.scored else Response(key="", text=text)


def _first(shown: Shown) -> Response:
    return _chosen(shown, shown.labels[0]) if shown.labels else Response(key="", text="something")


def _prefers(place: int, shown: Shown) -> Response:
    """Chooses one text of the question's options wherever it stands, and says yes, which is the first of two labels,
    where it's asked of that text."""
    texts = list(shown.question.options.values()) or ["3"]
    text = texts[place % len(texts)]
    if not shown.labels:
        return Response(key="", text=text)
    label = next((one for one in shown.labels if shown.options.get(one) == text), None)
    if label is None:
        words = f"{shown.ask.text or ''}\n{shown.ask.after or ''}"
        label = shown.labels[0 if text in words else -1]
    return _chosen(shown, label)


def _never(shown: Shown) -> Response:
    """Says no, which is the last of two labels, to whatever it's asked of, and no option."""
    return (
        _said(shown, "none of these") if set(shown.labels) <= set(shown.options) else _chosen(shown, shown.labels[-1])
    )


def _undecided(shown: Shown) -> Response:
    if shown.scored:
        return Response(key="", scores=dict.fromkeys(shown.labels, _LIKELY))
    return Response(key="", text=" or ".join(shown.labels) or "2 or 3")


def _drawn(seed: int, shown: Shown) -> Response:
    draw = random.Random(f"{seed} {shown.question.key} {shown.ask.name}")  # noqa: S311 - repeatable, no secret
    return _chosen(shown, draw.choice(shown.labels)) if shown.labels else Response(key="", text=str(draw.randrange(9)))


def _fickle(seed: int, shown: Shown) -> Response:
    draw = random.Random(f"{seed} {shown.question.key} {shown.ask.name}")  # noqa: S311 - repeatable, no secret
    return _drawn(seed, shown) if draw.random() < _SAYS else _silent(shown)


def _hostile(shown: Shown) -> Response:
    return _said(shown, HOSTILE)


def _silent(shown: Shown) -> Response:
    return _said(shown, "")


def _withheld(shown: Shown) -> Response:
    return Response(key="", failure=Failure(kind=FILTERED, message="withheld by a content filter"))


STEADY, SILENT = "the same option wherever it stands", "nothing"

HABITS: dict[str, tuple[Habit, ...]] = {
    "always the first label": (_first,),
    STEADY: tuple(partial(_prefers, place) for place in range(most_options())),
    "no option, and no": (_never,),
    "undecided": (_undecided,),
    "any label": tuple(partial(_drawn, seed) for seed in range(3)),
    "hostile text": (_hostile,),
    SILENT: (_silent,),
    "an option now and nothing then": tuple(partial(_fickle, seed) for seed in range(4)),
    "withheld by a content filter": (_withheld,),
}
"""By what the answer is then, in words."""
