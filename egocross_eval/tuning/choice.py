"""From evidence to a choice, with what it is expected to be worth."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.schema import SCHEMA_VERSION
from egocross_eval.scoring.accuracy import LEVEL
from egocross_eval.scoring.choosing import choose
from egocross_eval.scoring.clusters import layout
from egocross_eval.scoring.difference import FEWEST_CLUSTERS, POWER, Differences, differences, joined
from egocross_eval.scoring.families import holm, simultaneous
from egocross_eval.scoring.shrinkage import Shrunk, shrunk
from egocross_eval.tuning.evidence import Evidence
from egocross_eval.tuning.file import Tuning
from egocross_eval.tuning.report import HeldOut, Tuned, Way

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

MORE = (1, 2, 4, 8)
"""By how many times as many clusters it's said what would be shown."""

_MOST_FOLDS = 5


class Chosen(NamedTuple):
    """The way for each group, by number."""

    common: int
    """That of the groups that aren't named."""
    by_group: dict[str, int]
    report: Tuned


def chosen(tuning: Tuning, evidence: Evidence) -> Chosen:
    """The choice, and what it rests on."""
    found = shrunk(evidence.credits, evidence.groups, evidence.clusters)
    ways = choose(found, evidence.costs)
    by_group = dict(zip(found.groups, ways, strict=True))
    return Chosen(_most(evidence, by_group), by_group, _report(tuning, evidence, found, ways))


def _most(evidence: Evidence, by_group: dict[str, int]) -> int:
    """The way of most questions."""
    return Counter(by_group[group] for group in evidence.groups).most_common(1)[0][0]


def _report(tuning: Tuning, evidence: Evidence, found: Shrunk, ways: Sequence[int]) -> Tuned:
    base = [0] * len(found.groups)
    gain, error = found.gain(ways, base)
    best = [int(way) for way in found.apparent.argmax(axis=0)]
    overall = _differences(evidence, list(range(len(evidence.questions))))
    clusters = {group: set() for group in found.groups}  # type: dict[str, set[str]]
    for group, cluster in zip(evidence.groups, evidence.clusters, strict=True):
        clusters[group].add(cluster)
    return Tuned(
        schema_version=SCHEMA_VERSION,
        questions=len(evidence.questions),
        left_out=evidence.left_out,
        cluster=tuning.benchmark.cluster,
        clusters={group: len(names) for group, names in clusters.items()},
        by=tuning.by,
        ways=_ways(tuning, evidence, found, overall),
        choice={group: tuning.labels[way] for group, way in zip(found.groups, ways, strict=True)},
        expected=gain,
        error=error,
        apparent=found.apparent_gain(ways, base),
        best_by_group_apparent=found.apparent_gain(best, base),
        best_by_group_expected=found.gain(best, base)[0],
        overall_spread=found.overall_spread,
        group_spread=found.group_spread,
        detectable={
            times: _detectable(overall, times) for times in MORE if overall.clusters.max() * times >= FEWEST_CLUSTERS
        },
        held_out=held_out(evidence),
    )


def _differences(evidence: Evidence, places: Sequence[int]) -> Differences:
    """Each way but the first against the first, on the questions at `places`."""
    import numpy as np

    changes = (evidence.credits[1:] - evidence.credits[0])[:, places]
    placed = layout([evidence.clusters[i] for i in places], [evidence.groups[i] for i in places])
    return differences(changes, np.ones(changes.shape, dtype=np.bool_), placed)


def _ways(tuning: Tuning, evidence: Evidence, found: Shrunk, overall: Differences) -> tuple[Way, ...]:
    adjusted = holm(overall.p())
    low, high = simultaneous(overall, adjusted, LEVEL)
    shown = _shown_by_group(evidence, found.groups)
    base = [0] * len(found.groups)
    made = []
    for number, (name, run) in enumerate(zip(tuning.labels, tuning.sweep.runs, strict=True)):
        place = number - 1
        apparent, expected = (table[number] - table[0] for table in (found.apparent, found.expected))
        way = Way(
            name=name,
            run=run.name,
            accuracy=float(evidence.credits[number].mean()),
            requests=evidence.requests[number],
            tokens=None if evidence.tokens is None else evidence.tokens[number],
            difference=float(overall.value[place]) if number else 0.0,
            low=float(low[place]) if number else 0.0,
            high=float(high[place]) if number else 0.0,
            p_adjusted=_known(adjusted[place]) if number else None,
            expected=found.gain([number] * len(base), base)[0],
            by_group=dict(zip(found.groups, apparent.tolist(), strict=True)),
            expected_by_group=dict(zip(found.groups, expected.tolist(), strict=True)),
            shown_by_group=shown[place] if number else (),
        )
        made.append(way)
    return tuple(made)


def _known(p: float) -> float | None:
    return None if math.isnan(p) else float(p)


def _shown_by_group(evidence: Evidence, groups: Sequence[str]) -> list[tuple[str, ...]]:
    """By way but the first, the groups in which it's shown to differ."""
    import numpy as np

    each = [_differences(evidence, [i for i, name in enumerate(evidence.groups) if name == group]) for group in groups]
    everything = joined(each, [np.ones(len(one.value), dtype=np.bool_) for one in each])
    adjusted = holm(everything.p()).reshape(len(groups), -1)
    return [tuple(group for d, group in enumerate(groups) if column[d] < LEVEL) for column in adjusted.T]


def _detectable(overall: Differences, times: int) -> float:
    """The smallest difference that so many times as many clusters show in 80 % of cases, as one of all ways; the median
    over the ways whose answers aren't just those of the first."""
    import numpy as np
    from scipy.special import stdtrit

    level = LEVEL / len(overall.value)
    freedom = overall.freedom * times
    quantiles = stdtrit(freedom, 1 - level / 2) + stdtrit(freedom, POWER)
    differs = (overall.contribution != 0).any(axis=1)
    found = (quantiles * overall.error / times**0.5)[differs if differs.any() else ~differs]
    return float(np.minimum(1.0, np.median(found)))


def held_out(evidence: Evidence) -> HeldOut:
    """The choice made without each fold and measured on it: honest, and on few clusters not sure of much."""
    import numpy as np

    folds, fold_of = _folds(evidence)
    change = np.zeros(len(evidence.questions))
    for fold in range(folds):
        rest, own = (fold_of != fold).nonzero()[0], (fold_of == fold).nonzero()[0]
        part = evidence._replace(
            questions=[evidence.questions[i] for i in rest],
            groups=[evidence.groups[i] for i in rest],
            clusters=[evidence.clusters[i] for i in rest],
            credits=evidence.credits[:, rest],
        )
        found = shrunk(part.credits, part.groups, part.clusters)
        by_group = dict(zip(found.groups, choose(found, evidence.costs), strict=True))
        common = _most(part, by_group)
        for i in own:
            way = by_group.get(evidence.groups[i], common)
            change[i] = evidence.credits[way, i] - evidence.credits[0, i]
    placed = layout(evidence.clusters, evidence.groups)
    measured = differences(change[None, :], np.ones((1, len(change)), dtype=np.bool_), placed)
    low, high = measured.interval()
    return HeldOut(folds=folds, difference=float(measured.value[0]), low=float(low[0]), high=float(high[0]))


def _folds(evidence: Evidence) -> tuple[int, NDArray[np.int64]]:
    """Number of folds and the fold of each question: whole clusters, those of each group spread over the folds."""
    import numpy as np

    clusters: dict[str, dict[str, int]] = {}
    for group, cluster in zip(evidence.groups, evidence.clusters, strict=True):
        own = clusters.setdefault(group, {})
        own.setdefault(cluster, len(own))
    folds = max(2, min(_MOST_FOLDS, *(len(own) for own in clusters.values())))
    # Groups of one cluster each would all be in the first fold.
    alone = max(len(own) for own in clusters.values()) == 1
    first = {group: place if alone else 0 for place, group in enumerate(clusters)}
    places = [(first[g] + clusters[g][c]) % folds for g, c in zip(evidence.groups, evidence.clusters, strict=True)]
    return folds, np.array(places)
