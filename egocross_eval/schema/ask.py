"""What a method wants to know."""

from __future__ import annotations

from typing import Literal

from egocross_eval.schema.noun import Noun
from egocross_eval.schema.question import Frame
from egocross_eval.settings import AnswerMode


class Turn(Noun, frozen=True, kw_only=True):
    """An earlier turn of the conversation that a method puts before a question."""

    role: Literal["user", "assistant"]
    text: str | None = None
    """None: the question as the run's style words it, with its frames."""
    frames: tuple[Frame, ...] = ()
    """Frames before the text, of which the run's settings select those that are shown."""


class Ask(Noun, frozen=True, kw_only=True):
    """What a method wants to know: the content of one request, in terms of the question."""

    name: str = ""
    """Unique within the question; a part of the request's key, so without `#`."""
    options: dict[str, str] | None = None
    """Option text by label as shown; None: as the question has them."""
    text: str | None = None
    """The question's text as asked; None: its own."""
    after: str | None = None
    """All words behind the frames, in place of the prompt style's."""
    turns: tuple[Turn, ...] = ()
    """Earlier turns, before the question's."""
    frames: tuple[int, ...] | None = None
    """Places of the frames shown, among those that the settings select; None: all of them."""
    numbered: bool = False
    """Each frame's number, from 1, stands beside it; with images only."""
    choices: tuple[str, ...] | None = None
    """Labels to choose among; None: those of the options."""
    answer_mode: AnswerMode | None = None
    """None: as the run's settings say; so for the others."""
    max_new_tokens: int | None = None
    temperature: float | None = None
    seed: int = 0
    """Added to the run's seed."""
