"""Prints what the preflight found."""

from __future__ import annotations

import sys
import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING, get_args

from egocross_eval.counted import counted
from egocross_eval.frames.check import FrameTrouble
from egocross_eval.tasks.egocross.notices import WORDING
from egocross_eval.visible import rich_console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from egocross_eval.tasks.egocross.preflight import QuestionReport, Report

_TROUBLES: tuple[FrameTrouble, ...] = get_args(FrameTrouble)
_LISTED = 20
_SHORTENED = 100
_WIDTH = 120


def size_text(size: int) -> str:
    """`1.05 GB`, `12.3 MB`, `40 kB`."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.3g} {unit}"
    return counted(size, "byte")


@contextmanager
def progress_bar() -> Iterator[Callable[[int, int], None] | None]:
    """A bar on standard error while it's a terminal; else None."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import Progress

    with Progress(console=rich_console(stderr=True), transient=True) as bar:
        task = bar.add_task("frame files", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def print_report(report: Report, *, show_all: bool) -> None:
    """Tables per dataset and per question, notes, and a line that sums up."""
    console = rich_console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False, markup=False)
    for what, place in report.taken.items():
        console.print(f"{what + ':':<10} {place}", soft_wrap=True)
    if report.datasets:
        _print_datasets(console, report)
    _print_questions(console, report, show_all)
    _print_notes(console, report)
    for warning in report.warnings:
        if not any(wording in warning for wording in WORDING.values()):
            console.print(f"Warning: {warning}", style="yellow")
    for error in report.errors:
        console.print(f"Error: {error}", style="red")
    console.print(_verdict(report), style="green" if report.ok else "red")


def _print_datasets(console: Console, report: Report) -> None:
    from rich.table import Table

    table = Table(title=f"{report.split} below {report.root}", title_justify="left")
    table.add_column("dataset")
    found = [name for name in _TROUBLES if report.troubles.get(name)]
    for name in ("questions", "frames", *found, "noted", "largest frame"):
        table.add_column(name, justify="right")
    for row in report.datasets:
        count = str(row.questions)
        if row.expected is not None and row.expected != row.questions:
            count += f" of {row.expected}"
        troubles = [str(row.troubles.get(name, "")) for name in found]
        noted = sum(detail.dataset == row.dataset and bool(detail.notices) for detail in report.details)
        largest = f"{row.largest[0]}x{row.largest[1]}" if row.largest else ""
        table.add_row(row.dataset, count, f"{row.frames:,}", *troubles, str(noted or ""), largest)
    table.add_section()
    troubles = [str(report.troubles.get(name, "")) for name in found]
    noted = sum(bool(detail.notices) for detail in report.details)
    table.add_row("all", str(report.questions), f"{report.frames:,}", *troubles, str(noted or ""), "")
    console.print(table)


def _print_questions(console: Console, report: Report, show_all: bool) -> None:
    from rich.table import Table

    shown = report.details if show_all else [detail for detail in report.details if detail.problems]
    if not shown:
        return
    table = Table(title="questions", title_justify="left")
    table.add_column("id", justify="right")
    table.add_column("question_id", overflow="fold")
    table.add_column("what", overflow="fold")
    listed = shown if show_all else shown[:_LISTED]
    for detail in listed:
        table.add_row(str(detail.id), detail.question_id, "\n".join(_lines(detail)))
    console.print(table)
    if len(listed) < len(shown):
        console.print(
            f"... and {counted(len(shown) - len(listed), 'question')} more; --all or --format json lists them"
        )


def _lines(detail: QuestionReport) -> Iterator[str]:
    for trouble in _TROUBLES:
        found = [problem for problem in detail.problems if problem.trouble == trouble]
        if found:
            name, reason = found[0].frame.rpartition("/")[2], found[0].message
            yield f"{len(found)} of {detail.frames} {trouble}: {name}: {textwrap.shorten(reason, _SHORTENED)}"
    for entry in detail.notices:
        yield f"{entry.kind.replace('_', ' ')}: {entry.message}"


def _print_notes(console: Console, report: Report) -> None:
    for kind, wording in WORDING.items():
        found = [entry for detail in report.details for entry in detail.notices if entry.kind == kind]
        if found:
            by_dataset: dict[str, int] = {}
            for entry in found:
                by_dataset[entry.dataset] = by_dataset.get(entry.dataset, 0) + 1
            where = ", ".join(f"{dataset} {count}" for dataset, count in by_dataset.items())
            ids = ", ".join(str(entry.id) for entry in found[:_LISTED]) + (", ..." if len(found) > _LISTED else "")
            console.print(f"Note: {counted(len(found), 'question')} with {wording} ({where}): id {ids}")


def _verdict(report: Report) -> str:
    videos = f"{counted(report.questions, 'question')} on {counted(report.videos, 'source video')}"
    files = f"{counted(report.frames, 'frame')} ({size_text(report.bytes)} in {counted(report.distinct_files, 'file')})"
    how = "decoded in full" if report.decoded else "checked by header and end"
    answers = f"{counted(report.answered, 'answer')} known"
    if report.identical_files is not None:
        files += f", {counted(report.identical_files, 'file')} with the bytes of another"
    if report.ok:
        return f"ok: {videos}, {files}, {how}; {answers}"
    bad = sum(bool(detail.problems) for detail in report.details)
    found = f"{counted(len(report.errors), 'error')}, {counted(bad, 'question')} with bad frames"
    return f"trouble: {found}; {videos}, {files}"
