"""Compares runs with each other on the questions that they share.

One rule for `compare`, the site and leaderboards: all pairs of the runs at hand are a family, and so are all domains
of all pairs, all question types of all pairs, and so on; pairs with an incomplete run, or over other questions, are
families of their own. In each family p-values are corrected by Holm's method, and the intervals hold all together. So
a pair gets the same verdict wherever the same runs are looked at.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from egocross_eval.counted import agreed
from egocross_eval.errors import UsageError
from egocross_eval.schema import RunRecord, Sample
from egocross_eval.scoring.accuracy import LEVEL
from egocross_eval.scoring.align import align
from egocross_eval.scoring.difference import joined, mcnemar_exact, sign_flip
from egocross_eval.scoring.differing import Differing, differing
from egocross_eval.scoring.families import holm, simultaneous
from egocross_eval.scoring.matrix import GroupPairs, Matrix, compare_group, matrix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from egocross_eval.scoring.align import Aligned, LabelledRun
    from egocross_eval.scoring.matrix import Flags, Ints

Verdict = Literal["shown", "not shown", "too few"]


class ComparedRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison needs of a run."""

    label: str
    """How tables and sentences call it; unique within a comparison."""
    record: RunRecord
    samples: tuple[Sample, ...]


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """The second run against the first on one group of shared questions. Shares are fractions; differences are second
    - first."""

    name: str
    n: int
    clusters: int
    """Clusters of questions, e.g. source videos, that it rests on."""
    first: float
    """Mean credit of the first run: its accuracy."""
    second: float
    first_right: int
    second_right: int
    gained: int
    """Questions that only the second has right."""
    lost: int
    """Questions that only the first has right."""
    difference: float
    low: float
    high: float
    """Ends of the 95 % interval of the difference; those of a family hold all together."""
    smallest: float
    """The smallest difference that these clusters show in 80 % of cases, as one of the family."""
    p: float | None
    """Of the difference, from the same statistic as its interval; None where there are too few clusters."""
    p_adjusted: float | None
    """`p` corrected for all looks of its family (Holm)."""
    family: int
    """Looks in the family."""

    @property
    def verdict(self) -> Verdict:
        """Whether the difference is shown, at the 5 % level for the whole family."""
        if self.p_adjusted is None:
            return "too few"
        return "shown" if self.p_adjusted < LEVEL else "not shown"


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two runs, paired by question."""

    first: str
    second: str
    cluster: str
    """What clusters are, e.g. `source video`."""
    micro: Look
    macro: Look
    """With the groups of the macro axis counting alike; as `micro` where there is no such axis."""
    looks: dict[str, tuple[Look, ...]]
    """Looks by the benchmark's groupings of one label."""
    gained: tuple[str, ...]
    """Keys of questions that only the second has right."""
    lost: tuple[str, ...]
    """Keys of questions that only the first has right."""
    same_letter: int
    """Shared questions to which both gave the same answer."""
    same_outcome: int
    """Shared questions that both have right, or both not."""
    p_flip: float
    """Second opinion on `micro`: by flipping which run is first, cluster by cluster; not corrected."""
    p_independent: float
    """McNemar's exact test, which would hold if questions were independent; not corrected."""
    differences: tuple[Differing, ...]
    notes: tuple[str, ...]
    """What is left out of the comparison, and why."""

    @property
    def verdict(self) -> Verdict:
        """That of all questions, `micro`."""
        return self.micro.verdict


class PairOf(NamedTuple):
    """Two runs by their numbers, and the second compared with the first."""

    first: int
    second: int
    comparison: Comparison


def compare_all(runs: Sequence[ComparedRun]) -> list[Comparison]:
    """Every later run against the first. Corrections are for all pairs of the runs given, see `compare_pairs`.

    Raises `UsageError` if there are fewer than two runs, or one shares no scored question with the first.
    """
    if len(runs) < 2:
        raise UsageError("give at least two runs to compare")
    other = next((run for run in runs if run.record.judge_title != runs[0].record.judge_title), None)
    if other is not None:
        first, second = (run.record.judge_title or "nobody" for run in (runs[0], other))
        raise UsageError(
            f"{runs[0].label} is judged by {first} and {other.label} by {second}: compare judgings by the same judge"
        )
    aligned = align(runs)
    found = {pair.second: pair.comparison for pair in compare_pairs(runs, aligned) if pair.first == 0}
    for number, run in enumerate(runs[1:], 1):
        if number not in found:
            detail = "; ".join(_left_out(runs, matrix(aligned, runs[0].record.benchmark), aligned, 0, number))
            reason = detail or "one of them has no samples"
            raise UsageError(f"{runs[0].label} and {run.label} share no scored question: {reason}")
    return [found[number] for number in sorted(found)]


def compare_pairs(runs: Sequence[LabelledRun], aligned: Aligned) -> list[PairOf]:
    """Each two of the runs on their shared scored questions, corrected for all of these pairs together; pairs that
    share none are left out."""
    benchmark = runs[0].record.benchmark
    found = matrix(aligned, benchmark)
    everything = list(range(len(aligned.questions)))
    if not everything:
        return []
    micro = compare_group(found, everything)
    kinds = _kinds(runs, found)
    overall = _family({"all": micro}, kinds)
    mean = _family({"all": compare_group(found, everything, macro=True)}, kinds)
    looks = {
        grouping.name: _family({name: compare_group(found, places) for name, places in groups.items()}, kinds)
        for grouping in benchmark.groupings
        if len(grouping.labels) == 1 and (groups := _groups([grouping.group(q) for q in aligned.questions]))
    }
    flips = sign_flip(micro.pairs.differences).tolist() if len(micro.pairs.first) else []
    compared: list[PairOf] = []
    for a, b, flip in zip(micro.pairs.first.tolist(), micro.pairs.second.tolist(), flips, strict=True):
        look = overall[a, b][0]
        both = found.scored[a] & found.scored[b]
        letters = (found.prediction[a] == found.prediction[b]) & (found.prediction[a] != "")
        comparison = Comparison(
            first=runs[a].label,
            second=runs[b].label,
            cluster=benchmark.cluster,
            micro=look,
            macro=mean[a, b][0],
            looks={name: tuple(family.get((a, b), ())) for name, family in looks.items()},
            gained=_keys(aligned, both & found.right[b] & ~found.right[a]),
            lost=_keys(aligned, both & found.right[a] & ~found.right[b]),
            same_letter=int(letters[both].sum()),
            same_outcome=int((found.right[a] == found.right[b])[both].sum()),
            p_flip=float(flip),
            p_independent=mcnemar_exact(look.gained, look.lost),
            differences=tuple(differing(runs[a].record, runs[b].record)),
            notes=tuple(_notes(runs, found, aligned, a, b)),
        )
        compared.append(PairOf(a, b, comparison))
    return compared


def _keys(aligned: Aligned, chosen: Flags) -> tuple[str, ...]:
    return tuple(aligned.questions[place].key for place in chosen.nonzero()[0])


def _groups(names: Sequence[str]) -> dict[str, list[int]]:
    """Places of the members of each named group, in order of name."""
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        if name:
            groups.setdefault(name, []).append(place)
    return dict(sorted(groups.items()))


def _kinds(runs: Sequence[LabelledRun], found: Matrix) -> Ints:
    """Runs x runs: which family a pair belongs to. Pairs of complete runs over the same questions, as they stand on one
    board, are a family, numbered by its first run; all other pairs are family -1."""
    import numpy as np

    number = np.full((len(runs), len(runs)), -1)
    complete = [run.record.question_count == scored.sum() for run, scored in zip(runs, found.scored, strict=True)]
    for a in range(len(runs)):
        same = [b for b in range(len(runs)) if complete[b] and (found.scored[a] == found.scored[b]).all()]
        if complete[a]:
            number[a, same] = same[0]
    return number


def _family(groups: Mapping[str, GroupPairs], kinds: Ints) -> dict[tuple[int, int], list[Look]]:
    """The looks of each pair at each group, corrected for one another within their family."""
    import numpy as np

    looks: dict[tuple[int, int], list[Look]] = {}
    for kind in np.unique(kinds):
        chosen = [kinds[group.pairs.first, group.pairs.second] == kind for group in groups.values()]
        family = joined([group.pairs.differences for group in groups.values()], chosen)
        p = family.p()
        adjusted = holm(p)
        size = int((~np.isnan(p)).sum())
        low, high = simultaneous(family, adjusted, LEVEL)
        smallest = family.detectable(LEVEL / max(1, size))
        numbers = zip(family.value, low, high, smallest, p, adjusted, family.clusters, strict=True)
        for (name, group), members in zip(groups.items(), chosen, strict=True):
            for place in members.nonzero()[0]:
                pair = int(group.pairs.first[place]), int(group.pairs.second[place])
                count = [column[place] for column in group.counts]
                looks.setdefault(pair, []).append(_look(name, count, next(numbers), size))
    return looks


def _look(name: str, count: Sequence[float], numbers: Sequence[float], family: int) -> Look:
    n, first_right, second_right, gained, lost = (int(value) for value in count[:5])
    difference, low, high, smallest, p, adjusted, clusters = (float(value) for value in numbers)
    return Look(
        name=name,
        n=n,
        clusters=int(clusters),
        first=float(count[5]) / n,
        second=float(count[6]) / n,
        first_right=first_right,
        second_right=second_right,
        gained=gained,
        lost=lost,
        difference=difference,
        low=low,
        high=high,
        smallest=smallest,
        p=None if math.isnan(p) else p,
        p_adjusted=None if math.isnan(adjusted) else adjusted,
        family=family,
    )


def _notes(runs: Sequence[LabelledRun], found: Matrix, aligned: Aligned, a: int, b: int) -> list[str]:
    """What is left out of the comparison, and what was sent differently."""
    notes = _left_out(runs, found, aligned, a, b)
    shared = found.scored[a] & found.scored[b]
    # Files of version 0.1 don't tell.
    told = (found.sent[a] != "") & (found.sent[b] != "")
    differently = int((told & (found.sent[a] != found.sent[b]))[shared].sum())
    if 0 < differently < shared.sum():
        were = agreed(differently, "was", "were")
        notes.append(f"{differently} of {int(shared.sum())} shared questions {were} sent differently")
    elif differently:
        notes.append("every shared question was sent differently")
    return notes


def _left_out(runs: Sequence[LabelledRun], found: Matrix, aligned: Aligned, a: int, b: int) -> list[str]:
    both = found.asked[a] & found.asked[b]
    alone = [{aligned.questions[i].key for i in (found.asked[run] & ~both).nonzero()[0]} for run in (a, b)]
    changed = alone[0] & alone[1]
    notes = [
        f"left out, as only {runs[run].label} has them: {len(keys - changed)}"
        for run, keys in zip((a, b), alone, strict=True)
        if keys - changed
    ]
    if changed:
        notes.append(f"left out, as their text, options or answer differ: {len(changed)}")
    if unscored := int((both & ~(found.scored[a] & found.scored[b])).sum()):
        notes.append(f"left out, as they failed or have no known answer in one of the runs: {unscored}")
    return notes
