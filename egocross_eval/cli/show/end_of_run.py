"""What a run says at its end: on a terminal a small table, elsewhere its row in Markdown; then what became of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from egocross_eval.cli.show.terminal import described, fitted_table, screen_width, shortened
from egocross_eval.counted import agreed, counted

if TYPE_CHECKING:
    from egocross_eval.api import Run
    from egocross_eval.schema import BenchmarkRecord, Figure, Results


def print_end(run: Run) -> None:
    """The figures of a run, where it lies and what can be done next."""
    from egocross_eval.leaderboard.rows import row_from_run
    from egocross_eval.runs.store import LEADERBOARD_FILE

    record, results = run.record, run.results
    if sys.stdout.isatty():
        row = row_from_run(record, results, source=run.path.name, origin_hash=results.samples_hash)
        split = f"{record.benchmark.title}, {record.settings.split}, {counted(record.question_count, 'question')}"
        click.echo(f"\n{shortened(record.model.name, screen_width())}\n{split}\n")
        click.echo(_figures(results, record.benchmark))
        click.echo()
        _say("settings", ", ".join(f"{name} {value}" for name, value in row.settings.items()))
    else:
        click.echo((run.path / LEADERBOARD_FILE).read_text(encoding="utf-8").rstrip("\n"))
        click.echo()
    if filtered := results.counts.get("filtered"):
        _say(
            "filtered",
            f"a content filter withheld {filtered} of {counted(record.question_count, 'answer')}: "
            f"{agreed(filtered, 'it counts', 'they count')} as wrong",
        )
    if results.rotations:
        asked, position, content = (results.rotations.get(name, 0) for name in ("asked", "position", "content"))
        text = (
            f"of {counted(asked, 'question')}, the same place every time on {position}, the same option "
            f"every time on {content}"
        )
        _say("rotations", text)
    click.echo(f"run folder: {run.path}")
    _say_next(run)
    sys.stdout.flush()


def _say_next(run: Run) -> None:
    """What isn't known yet, and the command that is likely wanted now."""
    record, results = run.record, run.results
    whole = record.benchmark.sizes.get(record.settings.split) == record.question_count
    then = f"leaderboard {run.path}"
    if results.waits:
        if run.judgings:
            return
        click.echo("answers in free words wait for a judge")
        then = f"judge {run.path} --judge SPEC"
    elif results.counts.get("unscored") and results.micro is None:
        click.echo("answers are not known here")
        then = f"submit {run.path}" if whole else f"view {run.path}"
    elif results.counts.get("unscored"):
        unknown = counted(results.counts["unscored"], "question")
        click.echo(f"not known here is what is right of {unknown}: the score is a lower bound")
    elif results.counts.get("errored") and results.micro is None:
        return  # nothing to look at: what failed is said next, and that the same command asks it again
    elif results.counts.get("wrong"):
        then = f"view {run.path} --wrong"
    click.echo(f"next: egocross-eval {then}")


def _figures(results: Results, benchmark: BenchmarkRecord) -> str:
    """Micro, macro and the parts, each with its interval and number of questions."""
    if results.micro is None:
        return "no score: no question has both an answer here and a known right one"
    shown = [("micro", results.micro)]
    if results.macro is not None:
        shown.append(("macro", results.macro))
    parts = results.groups.get(benchmark.macro, {})
    shown += [(title, parts[name]) for name, title in benchmark.part_titles(parts).items()]
    rows = [_line(name, figure) for name, figure in shown]
    return fitted_table(rows, ["", "accuracy", "95 % interval", "right", "of", "not read", "ungraded"], right="lrrrrrr")


def _line(name: str, figure: Figure) -> list[str]:
    return [
        shortened(name, 24),
        f"{'≥ ' if figure.open else ''}{figure.accuracy:.2%}",
        f"{figure.low:.1%} to {figure.high:.1%}",
        *(str(number) for number in (figure.right, figure.n)),
        *(str(number or "") for number in (figure.not_parsed, figure.open)),
    ]


def _say(what: str, text: str) -> None:
    """A name and its text, broken at the screen's edge."""
    click.echo(described([(what, text)]) if sys.stdout.isatty() else f"{what}: {text}")
