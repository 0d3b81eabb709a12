"""The right answers that a user names for a run that was made before."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from egocross_eval.contracts.faults import guarded_benchmark
from egocross_eval.contracts.registry import registry
from egocross_eval.contracts.task import DataOptions, Target
from egocross_eval.errors import DataError, UsageError
from egocross_eval.leaderboard.derived import known_targets
from egocross_eval.schema import RunRecord
from egocross_eval.tasks.select import load_questions


def targets_of_run(record: RunRecord, data: DataOptions) -> Mapping[str, Target]:
    """Right answers by key; empty where none are given: the run's own stay."""
    known = registry()
    benchmark = known.benchmark(record.benchmark.name)
    if data.answers_file is not None and data.data is None and data.questions_file is None:
        if benchmark.read_targets is None:
            raise UsageError(f"{benchmark.title} reads no answers file: its answers come with the questions")
        with guarded_benchmark(benchmark, f"to read {data.answers_file} for the answers", known):
            return benchmark.read_targets(data.answers_file)
    tasks = [known.task(name) for name in record.settings.tasks]
    source = msgspec.structs.replace(data.source(), split=record.settings.split)
    try:
        return known_targets(load_questions(tasks, source).questions)
    except DataError:
        if data.data is not None:
            raise
        return {}
