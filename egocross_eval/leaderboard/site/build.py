"""Writes the site of some runs into a folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from egocross_eval.contracts.registry import registry
from egocross_eval.errors import UsageError
from egocross_eval.leaderboard.collect import published_beside
from egocross_eval.leaderboard.prices import priced, read_prices
from egocross_eval.leaderboard.rows import distinct, join_repeats
from egocross_eval.leaderboard.site.answers import parts, question_list
from egocross_eval.leaderboard.site.chart_library import chart_library
from egocross_eval.leaderboard.site.folder import SiteContent, SiteFolder
from egocross_eval.leaderboard.site.hidden import without_answers
from egocross_eval.leaderboard.site.inputs import Inputs, SiteRun, read_inputs
from egocross_eval.leaderboard.site.overview import Shown, pair_json, summary
from egocross_eval.leaderboard.site.pool import Pool, axis_of, pool
from egocross_eval.leaderboard.site.scripts import data_script
from egocross_eval.leaderboard.site.tables import site_tables
from egocross_eval.version import __version__
from egocross_eval.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment

    from egocross_eval.schema import Row
    from egocross_eval.scoring.comparison import PairOf

SCRIPTS = (
    "core.js",
    "dom.js",
    "charts.js",
    "pair.js",
    "overview.js",
    "filters.js",
    "answer.js",
    "explorer.js",
    "main.js",
)
"""Our scripts, in the order in which the page loads them."""
OTHER_ASSETS = ("site.css", "icon.svg", "LICENSES.txt")


class SiteSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What was written."""

    page: Path
    """To be opened."""
    rows: int
    """Of the leaderboard."""
    runs: int
    questions: int
    pairs: int
    thumbnails: int
    bytes: int
    """Size of all but the thumbnails."""


def build_site(
    paths: Sequence[Path],
    to: Path,
    *,
    title: str = "",
    frames: bool = False,
    data: Path | None = None,
    published: bool = True,
    join: bool = True,
    compared: int = 24,
    prices: Path | None = None,
    questions: bool = True,
    answers: bool = True,
) -> SiteSummary:
    """Writes a site of the runs and exported rows at `paths` into the folder `to`, which opens from disk.

    `title` is by default the benchmark's. With `frames`, the site holds thumbnails of the frames from `data`, or from
    the data root of each run, where all were made here. `published` adds the published rows to the leaderboard, `join`
    joins runs that differ in the seed alone there; `compared` bounds the runs of which every pair is compared (the best
    ones); `prices` is a table of prices by model. Without
    `questions`, only figures are in the folder; without `answers`, questions and what was said, but not what is right.
    Of rows alone the site is their leaderboard.
    Raises `UsageError` or `DataError`, naming what is wrong, before anything is written where it can be known.
    """
    inputs = read_inputs(paths, published=published)
    _refuse_what_makes_no_site(inputs, frames=frames)
    pooled = pool(inputs.runs)
    if inputs.runs and not pooled.questions:
        raise UsageError("the runs hold no answer yet; finish one, or look at its folder with: egocross-eval view RUN")
    library = chart_library()
    files = _frame_files(inputs.runs, data) if frames else {}
    rows = _rows(inputs, published=published, join=join, prices=prices)
    best = _best_first(inputs.runs)
    pairs = _pairs(inputs.runs, pooled, best[:compared])
    folder = SiteFolder(to)
    thumbnails = _thumbnails(folder, files)
    folder.clear()
    folder.write("assets/charts-library.js", library)
    for name in (*SCRIPTS, *OTHER_ASSETS):
        folder.write(f"assets/{name}", _asset(name))
    start = _start(inputs.runs, pairs, best)
    questions = questions and bool(inputs.runs)
    shown = Shown(questions=questions, answers=questions and answers)
    figures = summary(inputs.runs, pooled, pairs, start, shown, inputs.rows[0].benchmark)
    folder.write("data/summary.js", data_script("summary", figures))
    if questions:
        _write_questions(folder, inputs.runs, pooled if answers else without_answers(pooled), thumbnails)
    heading = title or f"{inputs.rows[0].benchmark.title} results"
    folder.write("index.html", _page(heading, inputs, rows, pooled, pairs, start, shown).encode())
    shown_frames = len(set(thumbnails.values()))
    folder.finish(SiteContent(title=heading, answers=shown.answers, frames=shown_frames))
    return SiteSummary(
        page=to / "index.html",
        rows=len(rows),
        runs=len(inputs.runs),
        questions=len(pooled.questions),
        pairs=len(pairs),
        thumbnails=shown_frames,
        bytes=folder.size,
    )


def _refuse_what_makes_no_site(inputs: Inputs, *, frames: bool) -> None:
    if not inputs.rows:
        raise UsageError(
            "no row is left to show: the files hold published rows alone, and --no-published leaves them out"
        )
    if frames and not inputs.runs:
        raise UsageError("rows hold no frames: leave --frames out, or give the run folders too")
    benchmarks = dict.fromkeys(row.benchmark.title for row in inputs.rows)
    if len(benchmarks) > 1:
        raise UsageError(
            f"a site is of one benchmark, and these are of {' and '.join(benchmarks)}; make a site of each"
        )


def _rows(inputs: Inputs, *, published: bool, join: bool, prices: Path | None) -> list[Row]:
    """Of the leaderboard: those at hand and the published ones beside them, joined and priced as asked."""
    rows = distinct([*inputs.rows, *(published_beside(inputs.rows, registry()) if published else [])])
    rows = join_repeats(rows) if join else rows
    return priced(rows, read_prices(prices)) if prices is not None else rows


def _asset(name: str) -> bytes:
    return (Path(__file__).parent / "assets" / name).read_bytes()


def _best_first(runs: Sequence[SiteRun]) -> list[int]:
    """Numbers of the runs, complete ones first, each by accuracy."""

    def order(number: int) -> tuple[bool, float, int]:
        results = runs[number].results
        return not results.complete, -(results.micro.accuracy if results.micro else -1.0), number

    return sorted(range(len(runs)), key=order)


def _pairs(runs: Sequence[SiteRun], pooled: Pool, chosen: Sequence[int]) -> list[PairOf]:
    if len(chosen) < 2:
        return []
    from egocross_eval.leaderboard.site.pairs import compare_pairs

    return compare_pairs(runs, pooled, chosen)


def _start(runs: Sequence[SiteRun], pairs: Sequence[PairOf], best: Sequence[int]) -> tuple[int, int] | None:
    """The pair that the page opens with: the best two among those that share about the most questions. With two runs,
    as they were named."""
    if len(runs) == 2 and pairs:
        return 0, 1
    most = max((pair.comparison.micro.n for pair in pairs), default=0)
    place = {run: number for number, run in enumerate(best)}
    found = [sorted((place[pair.first], place[pair.second])) for pair in pairs if pair.comparison.micro.n > 0.9 * most]
    if not found:
        return None
    first, second = min(found)
    return best[first], best[second]


def _frame_files(runs: Sequence[SiteRun], data: Path | None) -> dict[str, Path]:
    """Data root by name of every frame of the runs' questions."""
    from egocross_eval.runs.own import frames_root

    roots = {run.slug: frames_root(run.record, data, run.folder, run.samples) for run in runs}
    return {frame.name: roots[run.slug] for run in runs for sample in run.samples for frame in sample.question.frames}


def _thumbnails(folder: SiteFolder, files: Mapping[str, Path]) -> dict[str, str]:
    from egocross_eval.leaderboard.site.thumbnails import remove_others, write_thumbnails

    place = folder.path / "frames"
    found = write_thumbnails(place, files) if files else {}
    remove_others(place, found.values())
    return found


def _write_questions(folder: SiteFolder, runs: Sequence[SiteRun], pooled: Pool, thumbnails: Mapping[str, str]) -> None:
    cut = parts(pooled, thumbnails)
    questions = question_list(runs, pooled, [part.start for part in cut])
    folder.write("data/questions.js", data_script("questions", questions))
    for number, part in enumerate(cut):
        folder.write(f"data/answers-{number}.js", data_script(f"answers-{number}", part.questions))


@cache
def _templates() -> Environment:
    """Every text that they are given is escaped and shown as it may be."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("egocross_eval.leaderboard.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )


def _page(
    title: str,
    inputs: Inputs,
    rows: Sequence[Row],
    pooled: Pool,
    pairs: Sequence[PairOf],
    start: tuple[int, int] | None,
    shown: Shown,
) -> str:
    """index.html: the leaderboard and the first comparison are in the page itself; every text is escaped."""
    linked = inputs.runs if shown.questions else ()
    runs = {run.results.samples_hash: run.slug for run in linked if run.results.samples_hash}
    benchmark = inputs.rows[0].benchmark
    first = [pair_json(pair, benchmark) for pair in pairs if start and {pair.first, pair.second} == set(start)]
    chances = [run.results.micro.chance for run in inputs.runs if run.results.micro is not None]
    context: dict[str, Any] = {
        "title": title,
        "benchmark": benchmark,
        "axes": [axis_of(benchmark, place) for place in range(2)],
        "chance": next((chance for chance in chances if chance), None),
        "with_options": shown.answers and any(question.options for question in pooled.questions),
        "with_questions": shown.questions,
        "version": __version__,
        "tables": site_tables(rows, runs),
        "runs": inputs.runs,
        "rows": len(rows),
        "questions": len(pooled.questions),
        "pair": first[0] if first else None,
        "scripts": SCRIPTS,
    }
    return _templates().get_template("index.html.j2").render(context)
