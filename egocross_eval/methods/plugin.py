"""The built-in methods as a plugin."""

from __future__ import annotations

from collections.abc import Iterable

from egocross_eval.contracts.hooks import hookimpl
from egocross_eval.contracts.method import MethodType
from egocross_eval.methods import count, locate, once, pairwise, point, reason, rotate, sample, verify


@hookimpl
def egocross_methods() -> Iterable[MethodType]:
    """All that come with the package; each module says how it asks."""
    return (
        once.METHOD,
        rotate.METHOD,
        sample.METHOD,
        verify.METHOD,
        pairwise.METHOD,
        reason.REASON,
        reason.ROLES,
        reason.REFLECT,
        locate.METHOD,
        point.METHOD,
        count.METHOD,
    )
