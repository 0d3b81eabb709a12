"""Examples before a question, as earlier turns of the dialogue: `N`, `N:feedback`, `N:text`, each with `:covered`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from egocross_eval.errors import UsageError, did_you_mean
from egocross_eval.frames.roots import DataRoot
from egocross_eval.schema import Question
from egocross_eval.schema.run_settings import COVERED

ShotForm = Literal["plain", "feedback", "text"]
"""Question and right answer; some answers wrong, and each followed by what is right; or without the frames."""


class ShotSetting(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed `--shots` value."""

    count: int = 0
    form: ShotForm = "plain"
    covered: bool = False
    """Where no example suits, the question is asked without; False: that is refused."""

    @classmethod
    def parse(cls, text: str) -> ShotSetting:
        """Reads `N`, `N:feedback` or `N:text`, each with `:covered` behind it or not, or nothing; anything else is a
        `UsageError`."""
        if not text:
            return cls()
        number, *words = text.split(":")
        covered = words[-1:] == [COVERED]
        form, *more = words[: len(words) - covered] or ["plain"]
        if not (number.isascii() and number.isdigit()) or more or form not in get_args(ShotForm):
            near = next(filter(None, (did_you_mean(word, (*get_args(ShotForm), COVERED)) for word in words)), "")
            raise UsageError(
                f"--shots {text!r} is none of: N, N:feedback, N:text (N a whole number), with or without "
                f":{COVERED} behind it, e.g. 4{near}"
            )
        return cls(count=int(number), form=form, covered=covered)  # type: ignore[arg-type]

    def where_covered(self) -> ShotSetting:
        """The same for questions that an example suits, and no examples for others."""
        return msgspec.structs.replace(self, covered=True)

    def __str__(self) -> str:
        """As `parse` reads it."""
        form = "" if self.form == "plain" else f":{self.form}"
        return f"{self.count}{form}{f':{COVERED}' if self.covered else ''}"


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    """An example as it is shown."""

    question: Question
    """Its options in the order shown."""
    reply: str
    """What the earlier turn answers: a label, or words where the question has no options."""
    feedback: str = ""
    """What is said of that answer, before the next question."""


class Shots(msgspec.Struct, frozen=True, kw_only=True):
    """The examples of a run, chosen once, so that all questions of a cell have the same in the same order."""

    setting: ShotSetting
    alike: tuple[str, ...]
    """Labels that an example shares with the question: a cell is made of their values."""
    by_cell: Mapping[tuple[str, ...], tuple[Shot, ...]]
    """More than are shown where some are of the cluster of a question that is asked."""
    root: DataRoot | None
    """Where their frames lie."""

    def cell(self, question: Question) -> tuple[str, ...]:
        """What its examples are found by."""
        return tuple(question.label(name) for name in self.alike)

    def of(self, question: Question) -> tuple[Shot, ...]:
        """The examples before a question: never itself, nor one of its cluster (e.g. source video)."""
        others = [
            shot
            for shot in self.by_cell.get(self.cell(question), ())
            if shot.question.key != question.key
            and not (question.cluster and shot.question.cluster == question.cluster)
        ]
        return tuple(others[: self.setting.count])
