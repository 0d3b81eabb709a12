"""The built-in graders as a plugin."""

from __future__ import annotations

from collections.abc import Iterable

from egocross_eval.contracts.grader import Grader
from egocross_eval.contracts.hooks import hookimpl
from egocross_eval.grading.free_text import FreeTextGrader
from egocross_eval.grading.judge import JudgeGrader
from egocross_eval.grading.letter import LetterGrader
from egocross_eval.grading.rules import RulesGrader


@hookimpl
def egocross_graders() -> Iterable[Grader]:
    """Letters; free words, which wait for a judge; rules for these."""
    return (LetterGrader(), FreeTextGrader(), RulesGrader(), JudgeGrader())
