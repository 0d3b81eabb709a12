"""The contract of an importer: somebody else's log of a run, as far as it can be told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.schema import Failure, RunSettings


class ForeignAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of a log."""

    place: str
    """Where it stands, for messages, e.g. `samples.jsonl, line 3`."""
    question: str = ""
    """The question's key or id, where the log has it."""
    number: int | None = None
    """The question's id, where the log has it beside the key; the answer counts only if both are of one question."""
    position: str = ""
    """What else names it, e.g. its number among the tool's questions; empty where the log has the question's key."""
    text: str = ""
    """Raw output, as whole as the log has it."""
    failure: Failure | None = None
    label: str | None = None
    """What the tool read from it; None where the log doesn't say."""
    score: float | None = None
    """What the tool gave it, where the log says; 1 is right."""
    prompt: str = ""
    """Words that were asked, as far as the log has them."""
    options: dict[str, str] = {}
    """The options by the label that each had there, where the log has them beside the prompt."""
    target: str = ""
    """The right answer there, a label or an option's text, where the log has it."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    seconds: float | None = None


class ForeignRun(msgspec.Struct, frozen=True, kw_only=True):
    """What an importer makes of a log."""

    version: str = ""
    """Of the tool, as the log has it."""
    model: str
    """As tables shall call it."""
    spec: str
    """The model as the tool was told of it. No secrets."""
    date: str = ""
    files: tuple[Path, ...]
    """The files that were read."""
    details: dict[str, Any] = {}
    """What else is worth keeping in `run.json`."""
    settings: RunSettings | None = None
    """How the questions were chosen and asked, where that's known."""
    ids: str = ""
    """As `--ids` chose them, where settings are known."""
    questions_hash: str = ""
    """Of all questions that the settings choose, where that's known; another one here is refused."""
    parts: tuple[str, ...] = ()
    """Groups of the macro average that were asked; empty: all."""
    answers: Sequence[ForeignAnswer]


class Importer(msgspec.Struct, frozen=True, kw_only=True):
    """A registered kind of log."""

    name: str
    """As in `egocross-eval import FILE --from NAME`."""
    description: str
    """One line for help."""
    recognises: Callable[[Path], bool]
    """Whether a file or folder is such a log, told quickly; used by `--from auto`."""
    read: Callable[[Path], ForeignRun]
    """Reads the file or folder; raises `DataError`, naming the file and place, for what isn't of a known form."""
