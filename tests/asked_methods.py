"""Every method that comes with the package, as tests ask real engines by it."""

from __future__ import annotations

from pathlib import Path

from egocross_eval import Run, RunKeywords

TEMPORAL = "action-temporal-localization"
SPATIAL = "object-spatial-localization"
COUNTING = "object-counting"

METHODS = {
    "once": "all",
    "rotate": "all",
    "verify:say=Y/N": "all",
    "verify:say=Y/N,chunks=2,join=max,pick=lowest": "all",
    "pairwise": "all",
    "pairwise:by=wins": "all",
    "reason:tokens=8": "all",
    "roles:tokens=8": "all",
    "reflect:tokens=8": "all",
    "locate": TEMPORAL,
    "point": SPATIAL,
    "count:by=both": COUNTING,
}
"""Every method that comes with the package, and the tasks that it is for."""


def settings(method: str, demo: Path) -> RunKeywords:
    return {
        "data": demo,
        "split": "demo",
        "method": method,
        "answer": "choose",
        "frames": "uniform:2",
        "max_new_tokens": 8,
        "limit": 4,
        "cache": False,
    }


def decisions(run: Run) -> dict[str, str | None]:
    assert run.results.counts["errored"] == 0
    for sample in run.samples:
        assert sample.decision.label is None or sample.decision.label in sample.question.options
    return {sample.key: sample.decision.label for sample in run.samples}
