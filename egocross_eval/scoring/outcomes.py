"""What every question of a run is worth, in a compact form that rows carry, so that they're compared question by
question.

By part of the macro average and by cluster, one character for each question in order of its key: `1` right, `0` not,
`-` not known. Where credits lie between, or are means of several runs, they're written out with spaces between.
Questions without a cluster are together under the empty name, and stand alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.errors import DataError
from egocross_eval.scoring.accuracy import Interval, accuracy_interval, own_correlation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egocross_eval.schema import BenchmarkRecord, Question

Compact = dict[str, dict[str, str]]


class Outcome(NamedTuple):
    """A question's place in the benchmark and what it's worth; None where that isn't known."""

    part: str
    cluster: str
    key: str
    credit: float | None


class Table(NamedTuple):
    """Outcomes taken apart, one entry for each question, in an order that depends on their names alone."""

    parts: tuple[str, ...]
    clusters: tuple[str, ...]
    credits: tuple[float | None, ...]

    def alike(self, other: Table) -> bool:
        """Whether both have the same questions, as far as the compact form tells."""
        return self.parts == other.parts and self.clusters == other.clusters


def outcome_of(question: Question, credit: float | None, benchmark: BenchmarkRecord) -> Outcome:
    """The outcome of a question."""
    return Outcome(benchmark.part(question), question.cluster, question.key, credit)


def compact(outcomes: Iterable[Outcome]) -> Compact:
    """The compact form."""
    groups: dict[str, dict[str, list[float | None]]] = {}
    for item in sorted(outcomes, key=lambda one: one[:3]):
        groups.setdefault(item.part, {}).setdefault(item.cluster, []).append(item.credit)
    return _written(groups)


def _written(groups: dict[str, dict[str, list[float | None]]]) -> Compact:
    return {part: {name: _text(values) for name, values in clusters.items()} for part, clusters in groups.items()}


def _text(values: Sequence[float | None]) -> str:
    words = ["-" if value is None else f"{value:.6g}" for value in values]
    return "".join(words) if all(len(word) == 1 for word in words) else " ".join([*words, ""])


def table(found: Compact) -> Table:
    """The outcomes taken apart. Raises `DataError` where it isn't the compact form."""
    parts: list[str] = []
    clusters: list[str] = []
    credits: list[float | None] = []
    for part, names in found.items():
        for name, text in names.items():
            try:
                read = [None if value == "-" else float(value) for value in _values(text)]
            except ValueError:
                raise DataError(f"outcomes of {part} / {name}: {text[:40]!r} are no outcomes") from None
            if not all(value is None or 0 <= value <= 1 for value in read):
                raise DataError(f"outcomes of {part} / {name}: {text[:40]!r} don't lie between 0 and 1")
            parts += [part] * len(read)
            # Questions without a cluster stand alone: each gets a name of its own.
            clusters += [name or f"{part} {place}" for place in range(len(read))]
            credits += read
    return Table(tuple(parts), tuple(clusters), tuple(credits))


def averaged(repeats: Sequence[Compact]) -> Compact | None:
    """The mean outcome of each question over several runs; None where they didn't answer the same questions."""
    tables = [table(one) for one in repeats]
    if not tables or not all(one.alike(tables[0]) and None not in one.credits for one in tables):
        return None
    by_question = zip(*(one.credits for one in tables), strict=True)
    means = iter([sum(value for value in values if value is not None) / len(tables) for values in by_question])
    lengths = {part: {name: len(_values(text)) for name, text in names.items()} for part, names in repeats[0].items()}
    return _written(
        {part: {name: [next(means) for _ in range(n)] for name, n in names.items()} for part, names in lengths.items()}
    )


def _values(text: str) -> list[str]:
    return text.split() if " " in text else list(text)


def interval_of(found: Table, *, part: str = "", macro: bool = False, best: bool = False) -> Interval:
    """The interval of all outcomes, or of those of one part; an unknown one is worth nothing, or with `best`
    everything."""
    chosen = [place for place, name in enumerate(found.parts) if not part or name == part]
    credits = [found.credits[place] for place in chosen]
    values = [float(best) if credit is None else credit for credit in credits]
    clusters, parts = [found.clusters[place] for place in chosen], [found.parts[place] for place in chosen]
    return accuracy_interval(values, clusters, parts, macro=macro, prior=own_correlation(values, clusters, parts))
