"""Every pair of runs compared on the questions that both answered, all at once.

The figures are those of `scoring.comparison`: the same shared questions, the same bootstrap draws, the same test. Only
the order of the work differs: a bootstrap draw depends on the numbers of videos alone, so it's made once and applied
to all pairs in one matrix product. With 20 runs that takes a second for what would take a minute pair by pair.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from egocross_eval.scoring.comparison import LEVEL, Comparison, Look, Verdict, differing
from egocross_eval.scoring.intervals import REPLICATES, Interval
from egocross_eval.scoring.paired import difference_interval, holm, mcnemar_exact, questions_needed
from egocross_eval.scoring.results import SCORED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from egocross_eval.leaderboard.site.inputs import SiteRun
    from egocross_eval.leaderboard.site.pool import Pool

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

_BATCH = 64
"""Pairs per matrix product: bounds the memory (64 pairs of 10,000 replicates: some 40 MB)."""
_MOST_DEGENERATE = 0.01


class PairOf(NamedTuple):
    """Two runs by their numbers, and the second compared with the first."""

    first: int
    second: int
    comparison: Comparison


class _Changes(NamedTuple):
    """How a pair's shared questions changed, by domain in order of name: video of each and +1, -1 or 0."""

    domains: tuple[str, ...]
    videos: tuple[Ints, ...]
    changes: tuple[Ints, ...]


def compare_pairs(runs: Sequence[SiteRun], pool: Pool, chosen: Iterable[int], *, seed: int = 0) -> list[PairOf]:
    """Each two of the `chosen` runs (numbers), on their shared scored questions; pairs that share none are left out.

    The p-value of a pair's overall difference stands for that pair alone; those of its domains are corrected for their
    number. `Comparison.looks` holds the domains only, and `gained` and `lost` are left empty.
    """
    table = _Table(runs, pool)
    pairs = [(a, b) for a, b in combinations(sorted(chosen), 2) if table.shared(a, b).any()]
    changes = [table.changes(a, b) for a, b in pairs]
    single = [_only(change, place) for change in changes for place in range(len(change.domains))]
    micro = _intervals(changes, macro=False, seed=seed)
    macro = _intervals(changes, macro=True, seed=seed)
    inner = iter(_intervals(single, macro=False, seed=seed))
    found = []
    for (a, b), change, overall, mean in zip(pairs, changes, micro, macro, strict=True):
        looks = [table.look(name, a, b, next(inner), name) for name in change.domains]
        found.append(PairOf(a, b, table.comparison(a, b, change, overall, mean, looks)))
    return found


class _Table:
    """What became of each question in each run, as arrays over the pool's questions."""

    def __init__(self, runs: Sequence[SiteRun], pool: Pool) -> None:
        self._runs = runs
        self._axis = runs[0].record.benchmark.macro
        shape = (len(runs), len(pool.questions))
        self._asked, self._scored, self._right = (np.zeros(shape, bool) for _ in range(3))
        self._letter = np.full(shape, "", object)
        self._hash = np.full(shape, "", object)
        for run, samples in enumerate(pool.samples):
            for place, sample in enumerate(samples):
                if sample is None:
                    continue
                self._asked[run, place] = True
                self._scored[run, place] = sample.outcome in SCORED and sample.question.target is not None
                self._right[run, place] = sample.outcome == "right"
                self._letter[run, place] = sample.grade.prediction or ""
                self._hash[run, place] = "".join(answer.sent.content_hash for answer in sample.answers)
        self._domain = np.array([runs[0].record.benchmark.part(question) for question in pool.questions], object)
        # np.unique sorts, so the numbers are in order of name, as the draws of the bootstrap need.
        names = np.array([question.cluster or question.key for question in pool.questions], dtype=np.str_)
        self._video: Ints = np.unique(names, return_inverse=True)[1].astype(np.int64)

    def shared(self, a: int, b: int) -> NDArray[np.bool_]:
        both: NDArray[np.bool_] = self._scored[a] & self._scored[b]
        return both

    def changes(self, a: int, b: int) -> _Changes:
        shared = self.shared(a, b)
        change = self._right[b].astype(np.int64) - self._right[a]
        domains = tuple(sorted(set(self._domain[shared])))
        members = [shared & (self._domain == name) for name in domains]
        return _Changes(domains, tuple(self._video[m] for m in members), tuple(change[m] for m in members))

    def look(self, name: str, a: int, b: int, interval: Interval, domain: str | None = None) -> Look:
        members = self.shared(a, b) & (self._domain == domain) if domain is not None else self.shared(a, b)
        first, second = self._right[a][members], self._right[b][members]
        gained, lost = int((second & ~first).sum()), int((first & ~second).sum())
        n = int(members.sum())
        return Look(
            name=name,
            n=n,
            first_right=int(first.sum()),
            second_right=int(second.sum()),
            gained=gained,
            lost=lost,
            difference=(gained - lost) / n,
            low=interval.low,
            high=interval.high,
            interval=interval.method,
            p=(p := mcnemar_exact(gained, lost)),
            p_adjusted=p,
        )

    def comparison(
        self, a: int, b: int, change: _Changes, micro: Interval, macro: Interval, looks: Sequence[Look]
    ) -> Comparison:
        shared = self.shared(a, b)
        overall = self.look("all", a, b, micro)
        corrected = holm([look.p for look in looks])
        letters = (self._letter[a] == self._letter[b]) & (self._letter[a] != "")
        return Comparison(
            first=self._runs[a].label,
            second=self._runs[b].label,
            micro=overall,
            macro=float(np.mean([values.mean() for values in change.changes])),
            macro_low=macro.low,
            macro_high=macro.high,
            looks={self._axis: tuple(_corrected(look, p) for look, p in zip(looks, corrected, strict=True))},
            gained=(),
            lost=(),
            same_letter=int(letters[shared].sum()),
            same_outcome=int((self._right[a] == self._right[b])[shared].sum()),
            verdict=_verdict(overall),
            needed=questions_needed(overall.gained, overall.lost, overall.n, micro),
            differences=tuple(differing(self._runs[a].record, self._runs[b].record)),
            notes=tuple(self._notes(a, b)),
        )

    def _notes(self, a: int, b: int) -> list[str]:
        """What is left out of the comparison, and why."""
        both = self._asked[a] & self._asked[b]
        notes = []
        for run in (a, b):
            if extra := int((self._asked[run] & ~both).sum()):
                notes.append(f"left out, as only {self._runs[run].label} has them: {extra}")
        shared = self.shared(a, b)
        if unscored := int((both & ~shared).sum()):
            notes.append(f"left out, as they failed or have no known answer in one of the runs: {unscored}")
        differently = int((self._hash[a] != self._hash[b])[shared].sum())
        if 0 < differently < shared.sum():
            notes.append(f"{differently} of {int(shared.sum())} shared questions were sent differently")
        elif differently:
            notes.append("every shared question was sent differently (see what differs)")
        return notes


def _corrected(look: Look, p: float) -> Look:
    from msgspec.structs import replace

    return replace(look, p_adjusted=p)


def _verdict(look: Look) -> Verdict:
    if look.low <= 0 <= look.high:
        return "not shown"
    return "shown" if look.p_adjusted < LEVEL else "unclear"


def _only(change: _Changes, place: int) -> _Changes:
    return _Changes((change.domains[place],), (change.videos[place],), (change.changes[place],))


class _Strata(NamedTuple):
    """A pair's clusters by domain: sums of changes and numbers of questions of each video."""

    totals: list[Floats]
    sizes: list[Floats]
    weights: list[float]


def _intervals(changes: Sequence[_Changes], *, macro: bool, seed: int) -> list[Interval]:
    """The interval of each, as `difference_interval` gives it."""
    strata = [_strata(change, macro) for change in changes]
    groups: dict[tuple[int, ...], list[int]] = {}
    for place, one in enumerate(strata):
        groups.setdefault(tuple(len(totals) for totals in one.totals), []).append(place)
    found: dict[int, Interval] = {}
    for counts, places in groups.items():
        if min(counts) < 2:
            continue
        draws = _draws(counts, seed)
        for start in range(0, len(places), _BATCH):
            batch = places[start : start + _BATCH]
            for place, interval in zip(batch, _batch([strata[p] for p in batch], draws), strict=True):
                if interval is not None:
                    found[place] = interval
    return [found.get(place) or _alone(change, macro, seed) for place, change in enumerate(changes)]


def _strata(change: _Changes, macro: bool) -> _Strata:
    totals, sizes = [], []
    for videos, values in zip(change.videos, change.changes, strict=True):
        _, number = np.unique(videos, return_inverse=True)
        totals.append(np.bincount(number, weights=values).astype(np.float64))
        sizes.append(np.bincount(number).astype(np.float64))
    questions = [float(size.sum()) for size in sizes]
    share = 1 / len(sizes)
    return _Strata(totals, sizes, [share if macro else n / sum(questions) for n in questions])


def _draws(counts: Sequence[int], seed: int) -> list[Floats]:
    """By stratum, how often each cluster was drawn in each replicate: exactly the draws of `scoring.intervals`."""
    rng = np.random.default_rng(seed)
    times = []
    for m in counts:
        drawn = rng.integers(0, m, size=(REPLICATES, m))
        flat = np.bincount((drawn + np.arange(REPLICATES)[:, None] * m).ravel(), minlength=REPLICATES * m)
        times.append(flat.reshape(REPLICATES, m).astype(np.float64))
    return times


def _batch(strata: Sequence[_Strata], draws: Sequence[Floats]) -> list[Interval | None]:
    """The studentised bootstrap of each pair, all with the same draws; None where it doesn't apply."""
    estimate = np.zeros(len(strata))
    spread = np.zeros(len(strata))
    means: Any = 0.0
    variances: Any = 0.0
    for place, times in enumerate(draws):
        totals = np.stack([one.totals[place] for one in strata], axis=1)
        sizes = np.stack([one.sizes[place] for one in strata], axis=1)
        weights = np.array([one.weights[place] for one in strata])
        mean, variance = _moments(totals, sizes, np.ones((1, len(totals))))
        estimate += weights * mean[0]
        spread += weights * weights * variance[0]
        mean, variance = _moments(totals, sizes, times)
        means = means + weights * mean
        variances = variances + weights * weights * variance
    return [
        _studentised(estimate[i], spread[i], means[:, i], variances[:, i]) if spread[i] > 1e-18 else None
        for i in range(len(strata))
    ]


def _moments(totals: Floats, sizes: Floats, times: Floats) -> tuple[Floats, Floats]:
    """Mean and cluster-robust variance of each pair (column) in each replicate (row of `times`)."""
    m = len(totals)
    total, size = times @ totals, times @ sizes
    mean = total / size
    squares = times @ (totals * totals) - 2 * mean * (times @ (totals * sizes))
    squares += mean * mean * (times @ (sizes * sizes))
    variance: Floats = m / (m - 1) * np.maximum(squares, 0.0) / (size * size)
    return mean, variance


def _studentised(estimate: float, spread: float, means: Floats, variances: Floats) -> Interval | None:
    kept = variances > 1e-18
    if 1 - kept.mean() > _MOST_DEGENERATE:
        return None
    low, high = np.percentile((means[kept] - estimate) / np.sqrt(variances[kept]), [2.5, 97.5])
    error = float(spread) ** 0.5
    ends = float(estimate) - max(float(high), 0.0) * error, float(estimate) - min(float(low), 0.0) * error
    return Interval(max(-1.0, ends[0]), min(1.0, ends[1]), "clustered bootstrap")


def _alone(change: _Changes, macro: bool, seed: int) -> Interval:
    """Where the bootstrap doesn't apply, the fallbacks of `difference_interval` do."""
    values: dict[str, dict[str, list[int]]] = {}
    for domain, videos, changes in zip(change.domains, change.videos, change.changes, strict=True):
        inner = values.setdefault(domain, {})
        for video, value in zip(videos.tolist(), changes.tolist(), strict=True):
            inner.setdefault(f"{video:09d}", []).append(value)
    return difference_interval(values, macro=macro, seed=seed)
