"""The accuracy of free answers when their judge errs, from a share of them that people labelled.

By prediction-powered inference with tuned power (PPI++; Angelopoulos, Duchi and Zrnic, arXiv 2311.01453): the judge's
mean, corrected by how far it is off where labels are, and trusted only as far as it goes together with them. So a judge
that is no better than chance costs nothing, and one that is good saves labels. Intervals are clustered as all are.
`tests/scoring/test_corrected.py` shows how often they hold the truth.

Where sensitivity and specificity come from elsewhere, as from controls, Rogan and Gladen's estimator takes them for
those of the run, which nobody can check: it's given only under that name.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.scoring.clustered_mean import Estimate, clustered_mean
from egocross_eval.scoring.quantiles import normal_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST_LABELS = 20
"""Below this nothing is corrected."""


class Item(NamedTuple):
    """An answer that counts."""

    judged: float | None
    """1 right, 0 wrong, or the credit between; None where the judge couldn't tell."""
    label: float | None
    """A person's verdict; None where nobody gave one."""
    cluster: str
    stratum: str
    said: bool = True
    """False where there was no answer: it's wrong, and needs neither judge nor label."""


class Corrected(NamedTuple):
    """An accuracy corrected by labels."""

    micro: Estimate
    macro: Estimate
    labels: int
    trust: float
    """Lambda of PPI++: from 0, the labels alone, to 1, the judge's mean with its bias taken off."""


def corrected(items: Sequence[Item]) -> Corrected | None:
    """The corrected accuracy; None below `FEWEST_LABELS`. Labels must be of answers drawn at random, as `label_order`
    draws them."""
    import numpy as np

    said = np.array([item.said for item in items])
    labelled = np.array([item.said and item.label is not None for item in items])
    m, n = int(labelled.sum()), int(said.sum())
    if m < FEWEST_LABELS:
        return None
    known = [item.judged for item in items if item.said and item.judged is not None]
    # What the judge couldn't tell says nothing: it gets what answers get on average.
    usual = sum(known) / len(known) if known else 0.0
    judged = np.array([usual if item.judged is None else item.judged for item in items])
    labels = np.array([item.label or 0.0 for item in items])
    trust = _trust(labels[labelled], judged[labelled], m / n)
    off = float((labels[labelled] - trust * judged[labelled]).mean())
    z = trust * judged + off + np.where(labelled, n / m * (labels - trust * judged - off), 0.0)
    z = np.where(said, z, 0.0)
    clusters, strata = [item.cluster for item in items], [item.stratum for item in items]
    # A judge that is right on all labels may still err: on one more.
    least = n / len(items) / m
    micro, macro = (
        clustered_mean(z, clusters, strata, macro=flag, least_error=least).within(0.0, 1.0) for flag in (False, True)
    )
    return Corrected(micro, macro, m, trust)


def label_order(strata: Sequence[str], seed: int) -> list[int]:
    """The places of answers in the order in which they are labelled: whatever number of them is, from the first on, is
    drawn at random and has every stratum in proportion."""
    draw = random.Random(seed)  # noqa: S311 - repeatable, no secret
    members: dict[str, list[int]] = {}
    for place, name in enumerate(strata):
        members.setdefault(name, []).append(place)
    keyed = []
    for _, places in sorted(members.items()):
        draw.shuffle(places)
        start = draw.random()
        keyed += [((rank + start) / len(places), place) for rank, place in enumerate(places)]
    return [place for _, place in sorted(keyed)]


def _trust(labels: Sequence[float], judged: Sequence[float], share: float) -> float:
    """The lambda with the least variance, by the labelled answers."""
    import numpy as np

    spread = float(np.var(judged))
    if spread == 0:
        return 0.0
    together = float(np.mean((np.asarray(labels) - np.mean(labels)) * (np.asarray(judged) - np.mean(judged))))
    return min(1.0, max(0.0, together / spread / (1 + share)))


class Rates(NamedTuple):
    """How often a judge is right, from elsewhere."""

    sensitivity: float
    sensitivity_error: float
    specificity: float
    specificity_error: float


def rogan_gladen(judged: Estimate, rates: Rates) -> Estimate | None:
    """The accuracy if the judge errs on the run as it did elsewhere; None for a judge no better than chance.

    The error is by the delta method, of the judged mean and of both rates.
    """
    gain = rates.sensitivity + rates.specificity - 1
    if gain <= 0.05:
        return None
    value = (judged.value + rates.specificity - 1) / gain
    inside = min(1.0, max(0.0, value))
    variance = (
        judged.error**2 + ((1 - inside) * rates.specificity_error) ** 2 + (inside * rates.sensitivity_error) ** 2
    ) / gain**2
    half = normal_quantile(0.975) * variance**0.5
    return Estimate(value, value - half, value + half, variance**0.5, judged.n).within(0.0, 1.0)
