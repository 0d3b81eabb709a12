"""How much of a score survives without looking: blind runs, priors, rotations, shuffled frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from egocross_eval.schema import Results, Sample
from egocross_eval.scoring.comparison import ComparedRun, Comparison, compare_all

BLIND = ("blind", "position", "longest")
"""Probes that see no frame: what they get right can be had without looking."""

PROBES = (*BLIND, "rotate", "shuffled")
"""All probes, in the order in which they're shown."""


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """A run beside its probes."""

    run: str
    n: int
    """Questions that the run and every blind probe answered."""
    accuracy: float | None
    """Of the run over those; None where there are none, since nothing was answered or no right answer is known."""
    probes: dict[str, Comparison]
    """Each probe compared with the run (positive differences: the run is better)."""
    guessable: int
    """Questions that at least one blind probe gets right."""
    guessable_right: int
    """Of those, the run's right answers."""
    rest: int
    """Questions that no blind probe gets right."""
    rest_right: int
    """Of those, the run's right answers: what it must have seen."""
    rotations: dict[str, int]
    """From the rotated run: `asked`, `position`, `content` (see `Results.rotations`)."""


def audit(run: ComparedRun, probes: Mapping[str, ComparedRun], results: Mapping[str, Results]) -> Audit:
    """The audit of a run; `probes` and `results` by names of `PROBES`, those that are there."""
    comparisons = {name: compare_all([probes[name], run])[0] for name in PROBES if name in probes}
    blind = [_right_by_key(probes[name].samples) for name in BLIND if name in probes]
    own = _right_by_key(run.samples)
    shared = [key for key in own if all(key in right for right in blind)]
    guessable = [key for key in shared if any(right[key] for right in blind)]
    rest = [key for key in shared if key not in set(guessable)]
    return Audit(
        run=run.label,
        n=len(shared),
        accuracy=sum(own[key] for key in shared) / len(shared) if shared else None,
        probes=comparisons,
        guessable=len(guessable),
        guessable_right=sum(own[key] for key in guessable),
        rest=len(rest),
        rest_right=sum(own[key] for key in rest),
        rotations=results["rotate"].rotations if "rotate" in results else {},
    )


def _right_by_key(samples: Sequence[Sample]) -> dict[str, bool]:
    """Right or not, for the questions that were answered and can be scored."""
    return {s.key: s.outcome == "right" for s in samples if s.outcome in ("right", "wrong", "not_parsed")}
