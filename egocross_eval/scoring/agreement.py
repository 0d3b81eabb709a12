"""How far judges agree on the same answers: Krippendorff's alpha and Cohen's kappa, with intervals over clusters.

Alpha (Krippendorff, Content Analysis, 2004) is 1 less the disagreement seen over that expected if marks were dealt out
anew; it takes any number of judges and leaves out what one of them didn't judge. Here it's that of marks, with squared
differences (interval), and that of verdicts (nominal). Kappa is of two judges' verdicts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

import msgspec

from egocross_eval.scoring.accuracy import LEVEL

Units = Sequence[Sequence[float]]
"""By answer, the values that judges gave it."""


class Agreement(msgspec.Struct, frozen=True):
    """A measure of agreement with its 95 % interval by the jackknife over clusters; None where nothing varies."""

    value: float
    low: float
    high: float
    n: int
    """Answers that it rests on."""


def squared(one: float, other: float) -> float:
    """The difference of marks."""
    return (one - other) ** 2


def nominal(one: float, other: float) -> float:
    """The difference of verdicts."""
    return float(one != other)


def alpha(units: Units, difference: Callable[[float, float], float]) -> float | None:
    """Krippendorff's alpha; None where fewer than two values could be paired, or all are the same."""
    together: defaultdict[tuple[float, float], float] = defaultdict(float)
    for values in units:
        if len(values) < 2:
            continue
        for place, one in enumerate(values):
            for at, other in enumerate(values):
                if place != at:
                    together[one, other] += 1 / (len(values) - 1)
    totals: defaultdict[float, float] = defaultdict(float)
    for (one, _), count in together.items():
        totals[one] += count
    n = sum(totals.values())
    seen = sum(count * difference(*pair) for pair, count in together.items())
    expected = sum(totals[one] * totals[other] * difference(one, other) for one in totals for other in totals)
    return 1 - (n - 1) * seen / expected if expected > 0 else None


def kappa(units: Units) -> float | None:
    """Cohen's kappa of two judges' values; None where both always say the same one thing."""
    pairs = [(values[0], values[1]) for values in units if len(values) == 2]
    if not pairs:
        return None
    first, second = (Counter(column) for column in zip(*pairs, strict=True))
    seen = sum(one == other for one, other in pairs) / len(pairs)
    expected = sum(first[value] * second[value] for value in first) / len(pairs) ** 2
    return (seen - expected) / (1 - expected) if expected < 1 else None


def agreement(units: Units, clusters: Sequence[str], measure: Callable[[Units], float | None]) -> Agreement | None:
    """A measure and its interval, by leaving out one cluster after the other."""
    from scipy.special import stdtrit

    value = measure(units)
    if value is None:
        return None
    members: dict[str, list[int]] = {}
    for place, name in enumerate(clusters):
        members.setdefault(name, []).append(place)
    without = []
    for places in members.values():
        left_out = set(places)
        found = measure([one for place, one in enumerate(units) if place not in left_out])
        without.append(value if found is None else found)
    count = len(without)
    if count < 2:
        return Agreement(value, -1.0, 1.0, len(units))
    mean = sum(without) / count
    error = ((count - 1) / count * sum((one - mean) ** 2 for one in without)) ** 0.5
    half = float(stdtrit(count - 1, 1 - LEVEL / 2)) * error
    return Agreement(value, max(-1.0, value - half), min(1.0, value + half), len(units))


class Judged(msgspec.Struct, frozen=True):
    """What a judge made of an answer."""

    mark: float | None
    """None: people and graders without marks say right or wrong alone."""
    right: bool


class Parting(msgspec.Struct, frozen=True):
    """An answer on which two judges part."""

    key: str
    first: Judged
    second: Judged


class PairAgreement(msgspec.Struct, frozen=True):
    """Two judges on the answers that both judged. None: not to be told."""

    n: int
    same: float
    """Share of the same verdicts."""
    kappa: Agreement | None
    alpha: Agreement | None
    """Of marks."""
    verdict_alpha: Agreement | None
    partings: list[Parting]
    """Those with different verdicts, the widest apart first."""


def pair_agreement(
    first: Mapping[str, Judged], second: Mapping[str, Judged], clusters: Mapping[str, str]
) -> PairAgreement | None:
    """How two judges agree; None where they judged no answer in common."""
    keys = [key for key in first if key in second]
    if not keys:
        return None
    of = [clusters.get(key) or key for key in keys]
    verdicts = [(float(first[key].right), float(second[key].right)) for key in keys]
    marked = [key for key in keys if first[key].mark is not None and second[key].mark is not None]
    marks = [(first[key].mark or 0.0, second[key].mark or 0.0) for key in marked]
    parted = [Parting(key, first[key], second[key]) for key in keys if first[key].right != second[key].right]
    return PairAgreement(
        n=len(keys),
        same=1 - len(parted) / len(keys),
        kappa=agreement(verdicts, of, kappa),
        alpha=agreement(marks, [clusters.get(key) or key for key in marked], lambda units: alpha(units, squared)),
        verdict_alpha=agreement(verdicts, of, lambda units: alpha(units, nominal)),
        partings=sorted(parted, key=lambda one: -abs((one.first.mark or 0.0) - (one.second.mark or 0.0))),
    )
