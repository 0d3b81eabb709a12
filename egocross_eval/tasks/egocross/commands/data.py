"""`egocross-eval data`: verify, fetch or generate benchmark data."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from egocross_eval.command_options import made_of, options_of_settings, renamed
from egocross_eval.contracts.task import DataOptions
from egocross_eval.counted import counted
from egocross_eval.replies import Reply, replies
from egocross_eval.tasks.egocross.catalogue import DOMAINS

if TYPE_CHECKING:
    from egocross_eval.contracts.task import DataSource
    from egocross_eval.tasks.egocross.demo import DemoSummary
    from egocross_eval.tasks.egocross.fetch import FetchSummary
    from egocross_eval.tasks.egocross.preflight import Report
    from egocross_eval.tasks.verify import FrameFinding


@click.group(name="data", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Verify, fetch or generate benchmark data.

    \b
    egocross-eval data fetch testbed --output DATA
    egocross-eval data verify --data DATA
    egocross-eval data demo DEMO
    """


def _source(where: dict[str, Any]) -> DataSource:
    from egocross_eval.tasks.egocross.source import with_root
    from egocross_eval.tasks.egocross.tasks import EGOCROSS
    from egocross_eval.tasks.select import with_split

    return with_root(with_split(made_of(DataOptions, where).source(), EGOCROSS))


@command.command()
@click.option("--tasks", "-t", metavar="NAMES", help="Tasks of another benchmark, whose frames are checked.")
@options_of_settings(DataOptions)
@click.option("--decode", is_flag=True, help="Decode every picture in full (minutes) instead of its header and end.")
@replies()
@renamed("--json", "--format", value="json")
@click.option("--all", "show_all", is_flag=True, help="List every question that there is something to say about.")
def verify(tasks: str | None, decode: bool, show_all: bool, **where: Any) -> Reply[Report | list[FrameFinding]]:
    """Check that every frame of every question is there and whole.

    Missing, empty, truncated, unreadable and unsafe frames and wrong counts are errors: exit code 1. What is odd in the
    benchmark itself, such as a segment end beyond the frames, is noted and no error.

    \b
    egocross-eval data verify --data DATA
    egocross-eval data verify --data DATA --split support --format json > report.json
    """
    from egocross_eval.tasks.egocross.commands import data_report
    from egocross_eval.tasks.egocross.preflight import verify as check

    if tasks is not None:
        return _verify_tasks(tasks, made_of(DataOptions, where).source(), decode=decode)
    source = _source(where)
    with data_report.progress_bar() as progress:
        report = check(source, decode=decode, progress=progress)
    shown = functools.partial(data_report.print_report, report, show_all=show_all)
    return Reply(value=report, show=shown, code=0 if report.ok else 1)


def _verify_tasks(names: str, source: DataSource, *, decode: bool) -> Reply[Report | list[FrameFinding]]:
    """The frames of the tasks' questions, one line for each that is not whole."""
    from egocross_eval.contracts.registry import registry
    from egocross_eval.tasks.select import load_questions, select_tasks
    from egocross_eval.tasks.verify import check_questions

    loaded = load_questions(select_tasks(names, registry()), source)
    found = list(check_questions(loaded, decode=decode))
    frames = sum(len(question.frames) for question in loaded.questions)
    lines = [f"{one.key}: {one.frame}: {one.trouble}: {one.message}" for one in found]
    verdict = counted(len(found), "fault") if found else "ok"
    lines.append(f"{counted(len(loaded.questions), 'question')}, {counted(frames, 'frame')}: {verdict}")
    return Reply(value=found, show=lambda: click.echo("\n".join(lines)), code=int(bool(found)))


@command.command()
@click.argument("part", type=click.Choice(["testbed", "answers", "support", "checkpoints"]))
@click.option(
    "--output",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder to download into.",
)
@renamed("--to", "--output")
@click.option("--domain", type=click.Choice(DOMAINS), help="Only this domain's frames or checkpoint.")
@replies()
def fetch(part: str, output: Path, domain: str | None) -> Reply[list[FetchSummary]]:
    """Download the testbed, its answers, the support set or the published checkpoints.

    The testbed is gated: ask for access at https://huggingface.co/datasets/myuniverse/EgoCross and set HF_TOKEN. The
    support set is taken from ModelScope if the extra modelscope is installed, else from the same place as the
    testbed; the checkpoints need that extra. A broken-off download goes on where it stopped when the same command is
    run again. The testbed must never be trained on.

    \b
    egocross-eval data fetch testbed --output DATA
    egocross-eval data fetch support --output DATA
    egocross-eval data fetch checkpoints --domain surgery --output CHECKPOINTS
    """
    from egocross_eval.tasks.egocross import fetch as download

    found = download.fetch(part, output, domain=domain)  # type: ignore[arg-type]
    return Reply(value=found, show=lambda: _show_fetched(found, part, output))


def _show_fetched(found: list[FetchSummary], part: str, output: Path) -> None:
    from egocross_eval.tasks.egocross.commands.data_report import size_text

    for summary in found:
        line = f"{summary.part}: {counted(summary.files, 'file')}, {size_text(summary.bytes)}, in {summary.folder}"
        if summary.unpacked:
            line += f"; {counted(summary.unpacked, 'file')} unpacked"
        click.echo(line)
    if part in ("testbed", "support"):
        split = "" if part == "testbed" else " --split support"
        click.echo(f"check it with: egocross-eval data verify --data {output}{split}")


@command.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed, another benchmark.")
@click.option(
    "--training", type=click.IntRange(min=0), default=0, metavar="N", help="Add a training split of N questions."
)
@click.option("--training-tasks", "tasks", default="", metavar="NAME,...", help="Of these tasks only.")
@click.option("--per-cell", type=click.IntRange(min=1), default=4, show_default=True, help="Test questions per cell.")
@replies()
def demo(folder: Path, seed: int, training: int, tasks: str, per_cell: int) -> Reply[DemoSummary]:
    """Write a small benchmark in exactly the files of the real one, with rendered clips and right answers.

    \b
    egocross-eval data demo DEMO
    egocross-eval --model baseline:chance --tasks all --data DEMO
    """
    from egocross_eval.tasks.egocross.demo import write_demo

    chosen = [name for name in tasks.split(",") if name]
    summary = write_demo(folder, seed=seed, per_cell=per_cell, training=training, training_tasks=chosen)
    return Reply(value=summary, show=lambda: _show_demo(summary, folder))


def _show_demo(summary: DemoSummary, folder: Path) -> None:
    from egocross_eval.tasks.egocross.commands.data_report import size_text

    parts = [counted(summary.questions, "question"), counted(summary.support, "support example")]
    if summary.training:
        parts.append(counted(summary.training, "training example"))
    frames = f"{counted(summary.frames, 'frame')}, {size_text(summary.bytes)}"
    click.echo(f"{', '.join(parts)} ({frames}) in {summary.root}")
    click.echo(f"try it with: egocross-eval --model baseline:chance --tasks all --data {folder}")
