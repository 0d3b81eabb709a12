"""The contract of a prompt style."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from egocross_eval.schema import Question


class StyledText(msgspec.Struct, frozen=True, kw_only=True):
    """The words around the frames: system message, text before the frames, text after them."""

    system: str = ""
    before: str = ""
    after: str = ""


class PromptStyle(msgspec.Struct, frozen=True, kw_only=True):
    """A registered way to word a question."""

    name: str
    description: str
    """One line for help."""
    render: Callable[[Question, str], StyledText]
    """Called with the question and its option block (`A: text` lines, already normalised). `question` carries no
    target and no references, and of its frames those that are shown. Its words hold the question's text and that of
    every option; it adds no control characters but line breaks and tabs."""
    reply: Callable[[Question, str], str] | None = None
    """Called with an example, its target and references included, and the label or text of an answer to it: how that is
    worded (`--shots`). None: the label or text alone."""
