"""`egocross-eval site RUNS... --output DIR`: a static site of runs, to open from disk or to publish."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from egocross_eval.cli.inner_verb import with_inner_verb
from egocross_eval.command_options import frame_roots, renamed
from egocross_eval.counted import counted
from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.leaderboard.site.build import SiteSummary


@click.command(name="site", cls=with_inner_verb("publish", "egocross_eval.cli.verbs.site_publish"))
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder to write.",
)
@renamed("--to", "--output")
@click.option("--title", default="", help="Heading of the pages; default: the benchmark's.")
@click.option(
    "--frames/--no-frames",
    default=False,
    show_default=True,
    help="Thumbnails of the frames. Data may be gated: don't publish them without leave.",
)
@frame_roots("that of each run")
@click.option(
    "--questions/--no-questions", default=True, show_default=True, help="The questions and what each model said."
)
@click.option(
    "--answers/--no-answers",
    default=True,
    show_default=True,
    help="What is right. Without, questions are shown with what was said alone.",
)
@click.option("--published/--no-published", default=True, show_default=True, help="Add the published rows.")
@click.option("--join/--no-join", default=True, show_default=True, help="Join rows that differ in the seed alone.")
@click.option(
    "--compare",
    "compared",
    metavar="N",
    type=click.IntRange(min=2),
    default=24,
    show_default=True,
    help="Compare every pair of the N best runs.",
)
@click.option(
    "--prices",
    metavar="FILE.yaml",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Prices by model, for a column of what runs cost: docs/leaderboard.md.",
)
@replies()
def command(
    runs: tuple[Path, ...],
    output: Path,
    title: str,
    frames: bool,
    data: Path | None,
    questions: bool,
    answers: bool,
    published: bool,
    join: bool,
    compared: int,
    prices: Path | None,
) -> Reply[SiteSummary]:
    """Write a static site of RUNS: run folders, folders of runs, or rows of others (leaderboard --format json).

    It shows which model is better and whether that is sure, the leaderboard, charts, and every question with what each
    model said; of rows alone, the leaderboard. It needs no server and no network: open index.html, or publish the
    folder as it is. A folder that holds such a site is written anew. Needs the extra site.

    \b
    egocross-eval site runs/* --output site
    egocross-eval site runs/base runs/tuned --output site --frames
    egocross-eval site runs/* --output site --no-questions
    egocross-eval site publish site --to folder:public
    """
    from egocross_eval.leaderboard.site.build import build_site

    if data is not None and not frames:
        raise click.UsageError("--data says where the frames are; add --frames to show them.")
    if frames and not questions:
        raise click.UsageError("frames are shown with the questions: leave --frames or --no-questions out.")
    made = build_site(
        runs,
        output,
        title=title,
        frames=frames,
        data=data,
        published=published,
        join=join,
        compared=compared,
        prices=prices,
        questions=questions,
        answers=answers,
    )
    parts = [counted(made.rows, "row")]
    if made.runs:
        parts = [counted(made.runs, "run"), counted(made.questions, "question"), counted(made.pairs, "pair")]
    parts.append(f"{made.bytes / 1e6:.1f} MB")
    if frames:
        parts.append(counted(made.thumbnails, "thumbnail"))
    return Reply(value=made, show=lambda: click.echo(f"{', '.join(parts)}\nopen {made.page}"))
