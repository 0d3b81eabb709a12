"""The figures behind the overview's charts, computed here so that the page only draws."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from egocross_eval.leaderboard.site.pool import axis_json, axis_of, clip_seconds
from egocross_eval.scoring.results import SCORED, Figures, Judged
from egocross_eval.scoring.verdict import verdict_sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from egocross_eval.leaderboard.site.inputs import SiteRun
    from egocross_eval.leaderboard.site.pool import Pool
    from egocross_eval.schema import BenchmarkRecord, Figure, Grouping, Question, Sample
    from egocross_eval.scoring.comparison import Comparison, Look, PairOf

FRAME_EDGES = (0, 4, 8, 12, 20, 30)
"""Frame counts after which a new bin starts; the last bin is open."""
SECOND_EDGES = (0, 6, 14, 22, 38, 58)
"""Clip lengths in seconds after which a new bin starts; the last bin is open."""


class Shown(NamedTuple):
    """What of single questions the site holds."""

    questions: bool = True
    """The questions, and what each model said."""
    answers: bool = True
    """What is right, and so which answers are."""


class Bin(NamedTuple):
    """Values above `after` up to `to`."""

    after: float
    to: float

    def name(self, *, whole: bool) -> str:
        """E.g. `over 30`; `5–8` for `whole` numbers above 4 up to 8, else `4–8`."""
        if math.isinf(self.to):
            return f"over {self.after:g}"
        return f"up to {self.to:g}" if self.after <= 0 else f"{self.after + whole:g}–{self.to:g}"


def bins(edges: Sequence[float]) -> list[Bin]:
    """The bins between `edges`, and the open one after the last."""
    return [Bin(low, high) for low, high in zip(edges, (*edges[1:], math.inf), strict=True)]


def figure_json(figure: Figure | None) -> dict[str, Any] | None:
    """What the page shows of a figure; shares are fractions."""
    if figure is None:
        return None
    return {
        "right": figure.right,
        "n": figure.n,
        "accuracy": figure.accuracy,
        "low": figure.low,
        "high": figure.high,
        "chance": figure.chance,
        "open": figure.open,
    }


def run_json(run: SiteRun, samples: Sequence[Sample | None], pool: Pool, shown: Shown) -> dict[str, Any]:
    """One run: its figures by every grouping that a chart shows, confusion of options where answers are `shown`, and
    cost for each question."""
    judged = [
        Judged(question, s.outcome, s.grade.credit, None)
        for question, s in zip(pool.questions, samples, strict=True)
        if s is not None
    ]
    results = run.results
    benchmark = run.record.benchmark
    known = [item for item in judged if item.scored and item.question.target is not None]
    return {
        "slug": run.slug,
        "label": run.label,
        "source": run.source,
        "complete": results.complete,
        "counts": results.counts,
        "micro": figure_json(results.micro),
        "macro": figure_json(results.macro),
        "parts": _grouped(results.groups.get(benchmark.macro, {})),
        "groups": _grouped(results.groups.get(axis_of(benchmark, 1).name, {})),
        "frames": _binned(known, benchmark, FRAME_EDGES, lambda question: len(question.frames), whole=True),
        "seconds": _binned(known, benchmark, SECOND_EDGES, clip_seconds),
        "said": confusion([sample for sample in samples if sample is not None]) if shown.answers else [],
        "cost": _cost([sample for sample in samples if sample is not None]),
    }


def _grouped(figures: dict[str, Figure]) -> dict[str, Any]:
    return {name: figure_json(figure) for name, figure in figures.items()}


def _binned(
    known: Sequence[Judged],
    benchmark: BenchmarkRecord,
    edges: Sequence[float],
    value: Callable[[Question], float | None],
    *,
    whole: bool = False,
) -> list[dict[str, Any]]:
    """A figure for each bin that holds a question."""
    members: dict[Bin, list[Judged]] = {}
    found, figures = bins(edges), Figures(known, benchmark)
    for item in known:
        measured = value(item.question)
        if measured is not None:
            place = next(one for one in reversed(found) if measured > one.after or one is found[0])
            members.setdefault(place, []).append(item)
    return [
        {"bin": one.name(whole=whole), "order": order, **(figure_json(figures.of(members[one])) or {})}
        for order, one in enumerate(found)
        if one in members
    ]


def confusion(samples: Iterable[Sample]) -> list[dict[str, Any]]:
    """Counts by (right option, option said); `none` where none was read. Questions without options or a known answer,
    and failures, are left out."""
    counts: dict[tuple[str, str], int] = {}
    for sample in samples:
        answer = sample.question.target
        if answer in sample.question.options and sample.outcome in SCORED:
            key = answer, sample.grade.prediction or "none"
            counts[key] = counts.get(key, 0) + 1
    return [{"right": right, "said": said, "count": count} for (right, said), count in sorted(counts.items())]


def _cost(samples: Sequence[Sample]) -> dict[str, float | None]:
    """Means over the questions whose response says so; None where none does."""
    return {
        "input": _mean(sample.cost.input_tokens for sample in samples),
        "output": _mean(sample.cost.output_tokens for sample in samples),
        "seconds": _mean(sample.cost.seconds for sample in samples if not sample.cost.cached),
    }


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def pair_json(pair: PairOf, benchmark: BenchmarkRecord) -> dict[str, Any]:
    """A comparison as the page shows it; differences are second less first, as fractions."""
    comparison = pair.comparison
    return {
        "first": pair.first,
        "second": pair.second,
        "sentence": verdict_sentence(comparison),
        "verdict": comparison.verdict,
        "n": comparison.micro.n,
        "share": [comparison.micro.first, comparison.micro.second],
        "right": [comparison.micro.first_right, comparison.micro.second_right],
        "gained": comparison.micro.gained,
        "lost": comparison.micro.lost,
        "p": comparison.micro.p_adjusted,
        "looks": _looks(comparison, axis_of(benchmark, 0)),
        "same_answer": comparison.same_letter,
        "notes": comparison.notes,
        "differences": [[d.what, d.first, d.second] for d in comparison.differences],
    }


def _looks(comparison: Comparison, axis: Grouping) -> list[dict[str, Any]]:
    parts = comparison.looks.get(axis.name, ())
    mean = [_look(f"mean of {axis.title}s", comparison.macro)] if len(parts) > 1 else []
    named = [_look(axis.groups.get(look.name, look.name), look) for look in parts]
    return [_look("all questions", comparison.micro), *mean, *named]


def _look(name: str, look: Look) -> dict[str, Any]:
    ends = {"difference": look.difference, "low": look.low, "high": look.high}
    return {"name": name, "n": look.n, **ends, "shown": look.verdict == "shown"}


def summary(
    runs: Sequence[SiteRun],
    pool: Pool,
    pairs: Sequence[PairOf],
    start: tuple[int, int] | None,
    shown: Shown,
    benchmark: BenchmarkRecord,
) -> dict[str, Any]:
    """Everything the overview shows besides the leaderboard, which is in the page itself."""
    return {
        "runs": [run_json(run, samples, pool, shown) for run, samples in zip(runs, pool.samples, strict=True)],
        "pairs": [pair_json(pair, benchmark) for pair in pairs],
        "start": start,
        "axes": [axis_json(pool.questions, axis_of(benchmark, place)) for place in range(2)],
        "cluster": benchmark.cluster,
        "questions": len(pool.questions),
        "shown": shown._asdict(),
    }
