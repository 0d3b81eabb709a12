"""How much of a score survives without looking: blind runs, priors, rotations, shuffled frames."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from egocross_eval.scoring.align import align
from egocross_eval.scoring.clusters import layout
from egocross_eval.scoring.comparison import ComparedRun, Comparison, compare_all
from egocross_eval.scoring.matrix import matrix
from egocross_eval.scoring.rotations import Rotations, rotations
from egocross_eval.scoring.shortcuts import abbott_share

BLIND = ("blind", "position", "longest")
"""Probes that see no frame: what they get right can be had without looking."""

PROBES = (*BLIND, "rotate", "shuffled")
"""All probes, in the order in which they're shown."""


class Sees(msgspec.Struct, frozen=True, kw_only=True):
    """On how many of the questions a model sees the answer, if seeing adds to what it can guess without."""

    share: float
    """Abbott's (a - b) / (1 - b): a of the run, b of the same model without frames. Below 0 where frames harm."""
    low: float
    high: float
    """Ends of the 95 % interval."""


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """A run beside its probes."""

    run: str
    n: int
    """Questions of the run that count: answered, and the right answer is known."""
    accuracy: float | None
    """Of the run over those; None where there are none."""
    probes: dict[str, Comparison]
    """Each probe compared with the run (positive differences: the run is better)."""
    sees: Sees | None
    """None without a blind run, or where that has everything right."""
    rotations: Rotations | None
    """From the rotated run; None without one."""


def audit(run: ComparedRun, probes: Mapping[str, ComparedRun]) -> Audit:
    """The audit of a run; `probes` by names of `PROBES`, those that are there."""
    found = matrix(align([run]), run.record.benchmark)
    own = found.credit[0][found.scored[0]]
    known = bool(len(own))
    rotated = probes.get("rotate")
    return Audit(
        run=run.label,
        n=len(own),
        accuracy=float(own.mean()) if known else None,
        probes={name: compare_all([probes[name], run])[0] for name in PROBES if name in probes and known},
        sees=_sees(run, probes["blind"]) if "blind" in probes and known else None,
        rotations=rotations(rotated.samples, rotated.record.benchmark) if rotated is not None else None,
    )


def _sees(run: ComparedRun, blind: ComparedRun) -> Sees | None:
    found = matrix(align([run, blind]), run.record.benchmark)
    both = (found.scored[0] & found.scored[1]).nonzero()[0]
    placed = layout([found.clusters[place] for place in both], [found.parts[place] for place in both])
    share = abbott_share(found.credit[0][both], found.credit[1][both], placed)
    if share is None:
        return None
    low, high = share.interval()
    return Sees(share=float(share.value[0]), low=float(low[0]), high=float(high[0]))
