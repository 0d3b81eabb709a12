"""What became of an import: what was joined, what wasn't, and where the readings differ."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from egocross_eval.cli.show.made_run import MadeRun, made_run
from egocross_eval.cli.show.terminal import wrapped
from egocross_eval.counted import agreed, counted
from egocross_eval.interop.importing.writing import Comparison

if TYPE_CHECKING:
    from egocross_eval.interop.importing.runs import Import

_SHOWN = 5
"""Differing answers that are shown."""


class ImportedRun(MadeRun, frozen=True, kw_only=True):
    """A run that was made of another tool's log."""

    tool: str
    joined: int
    """Questions that the log has an entry for."""
    empty: int = 0
    """Of these, those whose answer is an empty text."""
    left_out: list[str]
    """What wasn't sure, in words."""
    comparison: Comparison
    """The tool's readings beside ours."""
    log: Path | None = None
    """Folder of the tool's own files, where it was run here."""


def imported_run(done: Import, log: Path | None = None) -> ImportedRun:
    """For programs."""
    return ImportedRun(
        **msgspec.structs.asdict(made_run(done.run)),
        tool=done.tool,
        joined=len(done.joined.answers),
        empty=_empty(done),
        left_out=done.joined.lines(),
        comparison=done.comparison,
        log=log,
    )


def _empty(done: Import) -> int:
    return sum(answer.failure is None and not answer.text.strip() for answer in done.joined.answers.values())


def print_import(done: Import) -> None:
    """The figures of the run, then what is remarkable about it."""
    from egocross_eval.cli.show.end_of_run import print_end

    print_end(done.run)
    asked = done.run.record.question_count
    answers = done.joined.answers.values()
    failed = Counter(answer.failure.kind for answer in answers if answer.failure is not None)
    empty = _empty(done)
    given = len(answers) - failed.total() - empty
    click.echo(
        f"{given} of {counted(asked, 'question')} {agreed(given, 'has', 'have')} an answer in this log of {done.tool}"
    )
    if failed:
        kinds = ", ".join(f"{count} {kind}" for kind, count in failed.most_common())
        click.echo(f"questions that failed there: {failed.total()} ({kinds})", err=True)
    if empty:
        click.echo(f"questions whose answer there is an empty text: {empty}", err=True)
    for line in done.joined.lines():
        click.echo(wrapped(line, rest="  "), err=True)
    comparison = done.comparison
    if comparison.same or comparison.other:
        compared = comparison.same + len(comparison.other)
        click.echo(f"{comparison.same} of {compared} answers are read here as {done.tool} read them")
    _differences("read otherwise", comparison.other)
    _differences("scored otherwise", comparison.scored_otherwise)


def _differences(what: str, lines: tuple[str, ...]) -> None:
    for line in lines[:_SHOWN]:
        click.echo(f"  {what}: {line}")
    if len(lines) > _SHOWN:
        click.echo(f"  and {len(lines) - _SHOWN} more {what}")
