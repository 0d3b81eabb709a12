"""`egocross-eval leaderboard RUNS...`: the table of runs and published results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from egocross_eval.cli.inner_verb import with_inner_verb
from egocross_eval.leaderboard.render import Format
from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.leaderboard.columns.column import IntervalStyle
    from egocross_eval.leaderboard.rows import RowFile

SUFFIXES = {".md": "md", ".json": "json", ".csv": "csv", ".tex": "latex", ".html": "html", ".htm": "html"}
"""Format by the suffix of --output."""


@click.command(name="leaderboard", cls=with_inner_verb("verify", "egocross_eval.cli.verbs.leaderboard_verify"))
@click.argument("runs", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--published/--no-published", default=True, show_default=True, help="Add the published rows.")
@click.option("--intervals", is_flag=True, help="Half the width of the 95 % intervals: 45.14 ± 3.4.")
@click.option("--ranges", is_flag=True, help="The ends of the 95 % intervals: 45.14 [41.9, 48.6].")
@click.option(
    "--sort",
    default="micro",
    show_default=True,
    metavar="KEY",
    help="Order and ranks: micro, macro, model, date, or a group of the macro average, e.g. surgery.",
)
@click.option(
    "--columns",
    metavar="NAMES",
    help="What is shown, in this order, e.g. model,micro,micro-interval,parts. Known: rank, model, micro, macro, parts "
    "(all groups of the macro average; or one by its name), each of these figures with -interval, parsed, filtered, "
    "complete, settings, date, source, split, questions, chance, spread, published, note, hash; what answers took: "
    "requests, question-tokens, speed, right-tokens, reused, first-token, per-token, frame, price.",
)
@click.option(
    "--prices",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.yaml",
    help="Prices by model, for the column price: docs/leaderboard.md.",
)
@click.option("--model", "models", multiple=True, metavar="GLOB", help="Only models that match; may be repeated.")
@click.option("--split", "splits", multiple=True, metavar="NAME", help="Only rows of this split; may be repeated.")
@click.option("--complete", "complete_only", is_flag=True, help="Leave incomplete runs out.")
@click.option("--join/--no-join", default=True, show_default=True, help="Join runs that differ in the seed alone.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@click.option(
    "--update",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Replace the table between the leaderboard markers of this file.",
)
@replies(*get_args(Format), by_output=True)
def command(
    runs: tuple[Path, ...],
    published: bool,
    intervals: bool,
    ranges: bool,
    sort: str,
    columns: str | None,
    prices: Path | None,
    models: tuple[str, ...],
    splits: tuple[str, ...],
    complete_only: bool,
    join: bool,
    output: Path | None,
    update: Path | None,
) -> Reply[RowFile]:
    """Write the leaderboard of RUNS: run folders, folders of runs, or files written with --format json.

    Micro (mean over all questions) and macro (mean of the benchmark's groups, e.g. domains) stand in columns of their
    own. Rows tie in rank where noise explains their difference; incomplete runs are listed and not ranked. Rows over
    different questions get tables of their own.

    \b
    egocross-eval leaderboard runs/* --intervals
    egocross-eval leaderboard runs --columns model,micro,micro-interval,parts --output board.tex
    egocross-eval leaderboard runs --update README.md
    egocross-eval leaderboard verify board.json runs/mine

    --update needs these two lines in the file:

    \b
    <!-- egocross-eval:leaderboard:start -->
    <!-- egocross-eval:leaderboard:end -->
    """
    from egocross_eval.contracts.registry import registry
    from egocross_eval.leaderboard.collect import published_beside, rows_from
    from egocross_eval.leaderboard.ranking import boards, select
    from egocross_eval.leaderboard.render import exported, render_boards
    from egocross_eval.leaderboard.rows import distinct, join_repeats

    given = click.get_current_context().params["form"]
    if intervals and ranges:
        raise click.UsageError("--intervals and --ranges exclude each other.")
    if output and not given and output.suffix and output.suffix.lower() not in SUFFIXES:
        raise click.UsageError(f"no format for {output.suffix} files; known: {', '.join(SUFFIXES)}, or pass --format.")
    chosen = given or (SUFFIXES.get(output.suffix.lower(), "md") if output else "md")
    if update and chosen not in ("md", "html"):
        raise click.UsageError(f"--update takes md or html, not {chosen}.")
    target = output or update
    rows = rows_from(runs, relative_to=target.parent if target else None)
    if published:
        rows += published_beside(rows, registry())
    else:
        rows = [row for row in rows if not row.published]
    rows = distinct(rows)
    rows = select(join_repeats(rows) if join else rows, models=models, splits=splits, complete_only=complete_only)
    if prices is not None:
        from egocross_eval.leaderboard.prices import priced, read_prices

        rows = priced(rows, read_prices(prices))
    style: IntervalStyle = "half-width" if intervals else "ends" if ranges else "none"
    names = [name.strip() for name in columns.split(",") if name.strip()] if columns else None
    found = boards(rows, sort=sort)

    def show() -> None:
        text = render_boards(found, chosen, intervals=style, sort=sort, columns=names, page=update is None)
        _deliver(text, chosen, output, update)

    return Reply(value=exported(found, names if chosen == "json" else None), show=show, output=output)


def _deliver(text: str, form: str, output: Path | None, update: Path | None) -> None:
    """Writes to the files given, else to standard output."""
    from egocross_eval.cli.show.terminal import on_screen
    from egocross_eval.files import write_file
    from egocross_eval.leaderboard.markers import update_file

    if output is not None:
        write_file(output, text.encode())
        click.echo(f"wrote {output}", err=True)
    if update is not None:
        changed = update_file(update, text)
        click.echo(f"{'updated' if changed else 'no change in'} {update}", err=True)
    if output is None and update is None:
        click.echo(on_screen(text) if form == "md" else text, nl=False)
