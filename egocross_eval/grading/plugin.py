"""The built-in graders as a plugin."""

from __future__ import annotations

from collections.abc import Iterable

from egocross_eval.contracts.grader import Grader
from egocross_eval.contracts.hooks import hookimpl
from egocross_eval.grading.letter import LetterGrader


@hookimpl
def egocross_graders() -> Iterable[Grader]:
    """The letter grader."""
    return (LetterGrader(),)
