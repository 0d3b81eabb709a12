"""The built-in methods as a plugin."""

from __future__ import annotations

from collections.abc import Iterable

from egocross_eval.contracts.hooks import hookimpl
from egocross_eval.contracts.method import MethodType
from egocross_eval.methods import once, rotate, sample


@hookimpl
def egocross_methods() -> Iterable[MethodType]:
    """Once, rotated and sampled."""
    return (
        MethodType(
            name="once",
            description="asks each question once, as it stands",
            build=lambda argument, options: once.Once(),
            example="once",
        ),
        MethodType(
            name="rotate",
            description="asks under all rotations of the options and sums the evidence for each option",
            build=lambda argument, options: rotate.Rotate(),
            example="rotate",
        ),
        MethodType(
            name="sample",
            description="asks N times with sampling; the most frequent answer counts",
            build=sample.build,
            argument="N",
            example="sample:5",
        ),
    )
