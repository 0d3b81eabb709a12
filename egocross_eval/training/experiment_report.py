"""What an experiment's runs add up to: a leaderboard, paired tests against the base, and what seeds differ by."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

import msgspec

from egocross_eval.files import write_file


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A run of an experiment."""

    folder: Path
    domain: str
    """Empty for the testbed as a whole."""
    repeat: int | None
    """Which seed; None for the base."""


def write_reports(output: Path, asked: Sequence[Asked], *, spread: bool) -> tuple[Path, ...]:
    """Writes `leaderboard.md`, `comparison.md` and, where asked for, `spread.md` into the folder; the paths of all."""
    texts = {"leaderboard.md": _leaderboard(output, asked), "comparison.md": _comparisons(asked)}
    if spread:
        texts["spread.md"] = spread_table(asked)
    for name, text in texts.items():
        write_file(output / name, text)
    return tuple(output / name for name in texts)


def _leaderboard(output: Path, asked: Sequence[Asked]) -> str:
    from egocross_eval.leaderboard.collect import rows_from
    from egocross_eval.leaderboard.render import render

    return render(rows_from([run.folder for run in asked], relative_to=output), "md", intervals="half-width")


def _comparisons(asked: Sequence[Asked]) -> str:
    """Each tuned run against the base on the same questions."""
    from egocross_eval.leaderboard.comparison_table import comparisons_markdown
    from egocross_eval.runs.store import RunFolder
    from egocross_eval.scoring.comparison import ComparedRun, compare_all

    records = {run.folder: RunFolder(run.folder).record() for run in asked}
    texts = []
    for base in asked:
        mates = [
            run.folder
            for run in asked
            if run.repeat is not None and records[run.folder].questions_hash == records[base.folder].questions_hash
        ]
        if base.repeat is None and mates:
            runs = [
                ComparedRun(label=path.name, record=records[path], samples=tuple(RunFolder(path).samples()))
                for path in (base.folder, *mates)
            ]
            texts.append(comparisons_markdown(compare_all(runs)))
    return "\n".join(texts)


def spread_table(asked: Sequence[Asked]) -> str:
    """A table of each domain's accuracy: of the base, and over the seeds the mean and standard deviation.

    The folds of a seed are counted together, so that every example counts once.
    """
    lines = [
        "| domain | questions | base | trained (mean) | spread over seeds | seeds |",
        "|---|---|---|---|---|---|",
    ]
    for domain in dict.fromkeys(run.domain for run in asked):
        mine = [run for run in asked if run.domain == domain]
        base, questions = _pooled([run for run in mine if run.repeat is None])
        repeats = sorted({run.repeat for run in mine if run.repeat is not None})
        found = [_pooled([run for run in mine if run.repeat == repeat])[0] for repeat in repeats]
        deviation = f"{100 * statistics.stdev(found):.2f}" if len(found) > 1 else "-"
        mean = f"{100 * statistics.mean(found):.2f}"
        lines.append(f"| {domain} | {questions} | {100 * base:.2f} | {mean} | {deviation} | {len(found)} |")
    return "\n".join(lines) + "\n"


def _pooled(runs: Sequence[Asked]) -> tuple[float, int]:
    """Accuracy over the questions of all runs, and their number."""
    from egocross_eval.leaderboard.believed import results_in
    from egocross_eval.runs.store import RunFolder

    figures = [figure for run in runs if (figure := results_in(RunFolder(run.folder)).micro) is not None]
    questions = sum(figure.n for figure in figures)
    return (sum(figure.right for figure in figures) / questions if questions else 0.0), questions
