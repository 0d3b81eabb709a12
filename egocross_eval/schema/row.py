"""A line of a leaderboard."""

from __future__ import annotations

from egocross_eval.schema.benchmark import BenchmarkRecord
from egocross_eval.schema.noun import Noun
from egocross_eval.schema.results import Efficiency, Figure


class Row(Noun, frozen=True, kw_only=True):
    """One line of a leaderboard, from a run or published elsewhere."""

    schema_version: int
    model: str
    source: str
    """Run folder name, or the citation of a published row."""
    published: bool
    complete: bool
    benchmark: BenchmarkRecord
    split: str
    micro: Figure | None
    macro: Figure | None
    parts: dict[str, Figure]
    """Figures along the benchmark's macro axis."""
    counts: dict[str, int]
    settings: dict[str, str]
    """Short display forms: style, frames, media, pixels, answer mode."""
    date: str
    origin_hash: str = ""
    """SHA-256 of the samples file the row was computed from; empty for published rows."""
    ranked_by: str = ""
    """For a published row: `micro` or `macro`, whichever its source reports as overall; the other is derived from
    counts."""
    published_overall: float | None = None
    """For a published row: the overall figure as its source prints it, in percent."""
    note: str = ""
    """What a reader of the row must know, e.g. that a printed figure doesn't follow from its cells."""
    link: str = ""
    """Address of the source, or path of the run folder."""
    question_count: int = 0
    """Questions asked; rows are ranked together only where split and questions are the same."""
    questions_hash: str = ""
    """As in `RunRecord`; empty for published rows, which are over the whole testbed."""
    asked_hash: str = ""
    """Hash of the questions' words, options, clusters and labels, wherever their frames lie: rows are ranked together
    only where it's the same. Empty where it isn't known."""
    fingerprint: str = ""
    """The model's, as in `ModelRecord`; empty for published rows."""
    decimals: int = 2
    """Decimals of the percentages that a published row's source prints."""
    answers_hash: str = ""
    """As in `Results`; empty for published rows."""
    repeats: int = 1
    """Runs joined into this row: figures are means over them and counts are sums."""
    micro_spread: float | None = None
    """Standard deviation of micro between joined runs, as a fraction."""
    macro_spread: float | None = None
    outcomes: dict[str, dict[str, str]] = {}
    """As in `Results`, means where runs were joined: what rows are compared by. Empty where it isn't known."""
    judge: str = ""
    """By whom and how free answers were judged, e.g. `gpt-4.1, mark ≥ 4`; empty where there's no judge."""
    judge_hash: str = ""
    """Hash of all that decides a verdict: rows are ranked together only where it's the same."""
    efficiency: Efficiency | None = None
    """As in `Results`, with the price where a table of prices was given."""
