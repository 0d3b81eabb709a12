"""`egocross-eval compare A B [C...]`: runs against the first one, question by question."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.leaderboard.comparison_table import StatedComparison, StatedLook
    from egocross_eval.scoring.comparison import ComparedRun


@click.command(name="compare")
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@replies("md")
@click.option("--flips", type=click.IntRange(min=0), default=10, show_default=True, help="Flipped questions to name.")
@click.option("--live", is_flag=True, help="Two runs under way: what the last of five planned looks says.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
def command(
    runs: tuple[Path, ...], flips: int, live: bool, output: Path | None
) -> Reply[list[StatedComparison] | StatedLook]:
    """Compare run folders: every later one with the first, paired on the questions that both answered.

    Gives the difference with its interval and p by how source videos differ, the same by domain and question type,
    corrected for many looks and for all pairs of the runs given; the questions that flipped, and what was asked
    differently.

    \b
    egocross-eval compare runs/baseline runs/finetuned
    """
    from egocross_eval.leaderboard.comparison_table import comparisons_markdown, stated
    from egocross_eval.scoring.comparison import compare_all

    if live:
        look = _live(runs)
        return Reply(value=look, show=lambda: _show(look.sentence + "\n", output), output=output)
    comparisons = compare_all(_load(runs))
    return Reply(
        value=[stated(comparison) for comparison in comparisons],
        show=lambda: _show(comparisons_markdown(comparisons, flips=flips), output),
        output=output,
    )


def _show(text: str, output: Path | None) -> None:
    from egocross_eval.cli.show.terminal import on_screen
    from egocross_eval.files import write_file

    if output is None:
        click.echo(on_screen(text), nl=False)
    else:
        write_file(output, text.encode())
        click.echo(f"wrote {output}", err=True)


def _live(paths: tuple[Path, ...]) -> StatedLook:
    import msgspec

    from egocross_eval.errors import UsageError
    from egocross_eval.leaderboard.comparison_table import StatedLook
    from egocross_eval.runs.store import RunFolder
    from egocross_eval.scoring.live import live_look, live_sentence

    if len(paths) != 2:
        raise UsageError(f"--live compares two runs, not {len(paths)}")
    first, second = _load(paths)
    found = live_look(first, second, RunFolder(paths[0]).questions())
    sentence = live_sentence(found, first.label, second.label, first.record.benchmark.cluster)
    return StatedLook(first=first.label, second=second.label, sentence=sentence, **msgspec.structs.asdict(found))


def _load(paths: tuple[Path, ...]) -> list[ComparedRun]:
    """The runs, called by their models' names where these are all different, else by their folders' too."""
    from egocross_eval.runs.store import RunFolder
    from egocross_eval.scoring.comparison import ComparedRun

    folders = [RunFolder(path) for path in paths]
    records = [folder.record() for folder in folders]
    names = [record.title for record in records]
    labels = names
    if len(set(names)) < len(names):
        labels = [f"{name} ({folder.path.resolve().name})" for name, folder in zip(names, folders, strict=True)]
    if len(set(labels)) < len(labels):
        labels = [f"{name} ({folder.path})" for name, folder in zip(names, folders, strict=True)]
    return [
        ComparedRun(label=label, record=record, samples=tuple(folder.samples()))
        for label, record, folder in zip(labels, records, folders, strict=True)
    ]
