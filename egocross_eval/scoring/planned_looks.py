"""Looking at a comparison while its runs are under way, without being misled by looking often.

Five looks are planned, each after another fifth of the clusters, with O'Brien and Fleming's bounds (Biometrics 35
(1979), 549): the first asks for overwhelming evidence, the last for little more than a single look would. Together they
err in 5 % of cases. They hold for a difference over whole clusters that were asked in random order, and for no figure
of accuracy: a run that stops when it looks good looks better than it is.
"""

from __future__ import annotations

from egocross_eval.scoring.quantiles import two_sided

LOOKS = 5
"""Number of planned looks."""

_BOUNDS = (4.562, 3.226, 2.634, 2.281, 2.040)
"""Normal quantiles that a difference must exceed at each look, for 5 % in all on both sides."""


def looks_due(done: int, planned: int) -> int:
    """How many of the looks are due when `done` of the `planned` clusters are answered by both runs."""
    return LOOKS * done // planned


def may_stop(p: float, look: int) -> bool:
    """Whether a difference with the p-value `p` is shown at the `look` (1 to 5), so that the runs may stop."""
    return p < two_sided(_BOUNDS[look - 1])
