"""Means over questions that come in clusters, and how sure they are.

Questions on one source video share its light, its task and its pitfalls, so they are no independent evidence: a model
that fails on a video fails on many of its questions. What is known of a mean therefore rests on how the sums of whole
clusters vary. The strata (domains, in EgoCross) and their sizes are fixed by the design of the benchmark, so clusters
are compared within their stratum.

For a mean the variance of type CR2 and its degrees of freedom have closed forms (Bell and McCaffrey, Survey Methodology
28 (2002), 169; Pustejovsky and Tipton, Journal of Business and Economic Statistics 36 (2018), 672): a cluster with the
share h of its stratum's questions enters with its residual sum over the root of 1 - h. Strata are combined as Welch
and Satterthwaite do. Everything works on many rows of values at once, one for each run or pair of runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]


class Layout(NamedTuple):
    """Which questions share a cluster, and which clusters a stratum. Questions are put in `order` first."""

    order: Ints
    """Places of the questions, those of one cluster together and clusters of one stratum together."""
    clusters: Ints
    """Where in that order each cluster begins."""
    strata: Ints
    """Where in that order each stratum begins."""
    stratum_of: Ints
    """Number of the stratum of each cluster."""
    flat: Layout | None = None
    """Without strata, for where clusters lie in several of them."""


class Parts(NamedTuple):
    """What each stratum contributes to a mean. Arrays are rows x strata unless said otherwise; where questions don't
    count in a row, its strata may be empty: weight and size are 0 there."""

    weight: Floats
    size: Floats
    """Questions that count; of a flat layout, as many as say the same."""
    mean: Floats
    square: Floats
    """Mean of the squared values."""
    concentration: Floats
    """Sum of squared shares that the clusters have of their stratum's questions."""
    variance: Floats
    """CR2 variance of weight x mean; 0 where `lone`."""
    freedom: Floats
    """Bell and McCaffrey's degrees of freedom of that variance; 0 where `lone`."""
    lone: Flags
    """A single cluster, which can't say how clusters differ."""
    influence: Floats
    """Rows x clusters: residual sums as they enter the variance."""
    contribution: Floats
    """Rows x clusters: what each cluster adds to the mean."""
    clusters: Ints
    """Clusters that count, by row."""

    @property
    def estimate(self) -> Floats:
        """The weighted mean of each row."""
        total: Floats = (self.weight * self.mean).sum(axis=1)
        return total

    @property
    def questions(self) -> Floats:
        """How many equally weighted questions would say as much, were they independent: n for micro."""
        import numpy as np

        per_question = np.divide(self.weight**2, self.size, out=np.zeros_like(self.size), where=self.size > 0)
        number: Floats = 1 / per_question.sum(axis=1)
        return number


def layout(clusters: Sequence[str], strata: Sequence[str]) -> Layout:
    """The layout of questions (at least one) with these clusters and strata, one of each for each question."""
    import numpy as np

    _, stratum = np.unique(np.asarray(strata, dtype=np.str_), return_inverse=True)
    names, cluster = np.unique(np.asarray(clusters, dtype=np.str_), return_inverse=True)
    place = stratum.astype(np.int64) * len(names) + cluster
    order = np.argsort(place, kind="stable")
    found, starts = np.unique(place[order], return_index=True)
    stratum_of = found // len(names)
    _, first = np.unique(stratum_of, return_index=True)
    flat = layout(clusters, [""] * len(clusters)) if len(found) > len(names) else None
    return Layout(order, starts, starts[first], stratum_of, flat)


def parts(values: Floats, counted: Flags, placed: Layout, *, macro: bool = False) -> Parts:
    """What the strata contribute to the mean of each row of `values` (rows x questions), over the questions `counted`.

    Each row must count at least one question. With `macro` the strata count alike, else by their numbers of questions.
    """
    import numpy as np

    if placed.flat is not None:
        linear, estimate = _linearised(values, counted, placed, macro)
        found = parts(linear, counted, placed.flat)
        size, square = _of_strata(values, counted, placed, macro)
        contribution = _contributions(values, counted, placed, placed.flat, macro)
        return found._replace(mean=estimate, size=size, square=square, contribution=contribution)
    counted = counted[:, placed.order]
    values = np.where(counted, values[:, placed.order], 0.0)
    first = np.searchsorted(placed.clusters, placed.strata)
    sizes = np.add.reduceat(counted.astype(np.float64), placed.clusters, axis=1)
    totals = np.add.reduceat(values, placed.clusters, axis=1)
    size, total = (np.add.reduceat(sums, first, axis=1) for sums in (sizes, totals))
    square = np.add.reduceat(values * values, placed.strata, axis=1)
    some = np.maximum(size, 1.0)
    mean = total / some
    weight = _weights(size, macro)
    of = placed.stratum_of
    share = sizes / some[:, of]
    left = np.where(share < 1, 1 - share, 1.0)
    influence = (weight / some)[:, of] * (totals - sizes * mean[:, of]) / np.sqrt(left)
    q = np.where(share < 1, share * share / left, 0.0)
    concentration, once, twice = (np.add.reduceat(sums, first, axis=1) for sums in (share**2, q, q * q))
    lone = _lone(sizes, placed)
    spent = concentration + once**2 - twice
    return Parts(
        weight=weight,
        size=size,
        mean=mean,
        square=square / some,
        concentration=concentration,
        variance=np.where(lone, 0.0, np.add.reduceat(influence**2, first, axis=1)),
        freedom=np.where(lone | (spent <= 0), 0.0, 1 / np.where(spent > 0, spent, 1.0)),
        lone=lone,
        influence=influence,
        contribution=(weight / some)[:, of] * totals,
        clusters=(sizes > 0).sum(axis=1),
    )


def _of_strata(values: Floats, counted: Flags, placed: Layout, macro: bool) -> tuple[Floats, Floats]:
    """How many equally weighted questions would say as much as all of the strata, and the weighted mean of the squared
    values, each a column: linearised values have neither, and those of a stratum's only question don't vary at all."""
    import numpy as np

    counted = counted[:, placed.order]
    squares = np.where(counted, values[:, placed.order] ** 2, 0.0)
    size = np.add.reduceat(counted.astype(np.float64), placed.strata, axis=1)
    weight, some = _weights(size, macro), np.maximum(size, 1.0)
    square = (weight * np.add.reduceat(squares, placed.strata, axis=1) / some).sum(axis=1, keepdims=True)
    return 1 / (weight**2 / some).sum(axis=1, keepdims=True), square


def _contributions(values: Floats, counted: Flags, placed: Layout, flat: Layout, macro: bool) -> Floats:
    """What each cluster of the flat layout adds to the weighted mean of the strata of `placed`."""
    import numpy as np

    size = np.add.reduceat(counted[:, placed.order].astype(np.float64), placed.strata, axis=1)
    of = np.repeat(np.arange(len(placed.strata)), np.diff(np.append(placed.strata, values.shape[1])))
    each = np.empty(values.shape)
    each[:, placed.order] = (_weights(size, macro) / np.maximum(size, 1.0))[:, of]
    added: Floats = np.add.reduceat(np.where(counted, each * values, 0.0)[:, flat.order], flat.clusters, axis=1)
    return added


def _weights(size: Floats, macro: bool) -> Floats:
    weights = (size > 0).astype(float) if macro else size
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares


def _linearised(values: Floats, counted: Flags, placed: Layout, macro: bool) -> tuple[Floats, Floats]:
    """Values in which each question has the influence that it has on the weighted mean of the strata, and that mean, a
    column.

    A stratum of a lone cluster varies about the whole's mean: about its own it would have no part in the variance.
    """
    import numpy as np

    counted = counted[:, placed.order]
    values = np.where(counted, values[:, placed.order], 0.0)
    of = np.repeat(np.arange(len(placed.strata)), np.diff(np.append(placed.strata, values.shape[1])))
    sizes = np.add.reduceat(counted.astype(np.float64), placed.clusters, axis=1)
    size = np.add.reduceat(counted.astype(np.float64), placed.strata, axis=1)
    some = np.maximum(size, 1.0)
    mean = np.add.reduceat(values, placed.strata, axis=1) / some
    weight = _weights(size, macro)
    scale = size.sum(axis=1, keepdims=True) * weight / some
    estimate = (weight * mean).sum(axis=1, keepdims=True)
    centre = np.where(_lone(sizes, placed), estimate, mean)
    linear = np.empty_like(values)
    linear[:, placed.order] = estimate + scale[:, of] * (values - centre[:, of])
    return linear, estimate


def _lone(sizes: Floats, placed: Layout) -> Flags:
    """Rows x strata: whether just one of the clusters, which have these `sizes` in a row, counts there."""
    import numpy as np

    first = np.searchsorted(placed.clusters, placed.strata)
    lone: Flags = np.add.reduceat(sizes > 0, first, axis=1, dtype=np.int64) == 1
    return lone


def pooled(found: Parts, lone_variance: Floats, lone_freedom: float = 1.0) -> tuple[Floats, Floats]:
    """Variance of the weighted mean of each row and its degrees of freedom by Welch and Satterthwaite.

    A lone cluster counts with the `lone_variance` (rows x strata) that it's taken to have, and the degrees of freedom
    given. The degrees are 0 where nothing varies.
    """
    import numpy as np

    variance = np.where(found.lone, lone_variance, found.variance)
    freedom = np.where(found.lone, lone_freedom, np.maximum(found.freedom, 1e-9))
    total = variance.sum(axis=1)
    spent = (variance**2 / freedom).sum(axis=1)
    return total, np.where(spent > 0, total**2 / np.where(spent > 0, spent, 1.0), 0.0)
