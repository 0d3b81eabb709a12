"""The rows that a benchmark brings along: results that others published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egocross_eval.contracts.faults import guarded_benchmark
from egocross_eval.errors import DataError, warn_caller

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egocross_eval.contracts.registry import Registry
    from egocross_eval.contracts.task import Benchmark
    from egocross_eval.schema import Row


def published_rows(benchmark: Benchmark, known: Registry) -> Sequence[Row]:
    """Those of the benchmark; none, with a warning, where its code breaks."""
    if benchmark.published is None:
        return ()
    try:
        with guarded_benchmark(benchmark, "to give the published rows", known):
            return benchmark.published()
    except DataError as error:
        warn_caller(str(error))
        return ()
