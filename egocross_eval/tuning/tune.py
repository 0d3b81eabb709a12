"""From finished runs to the files of a choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from egocross_eval.contracts.registry import Registry
from egocross_eval.files import write_file
from egocross_eval.runs.store import pretty_json
from egocross_eval.tuning.choice import Chosen, chosen
from egocross_eval.tuning.evidence import Evidence, read_evidence
from egocross_eval.tuning.file import Tuning
from egocross_eval.tuning.report import Tuned
from egocross_eval.tuning.strategy_file import strategy_yaml

CHOSEN_FILE = "chosen.yaml"
REPORT_FILE = "tuned.json"


class Written(NamedTuple):
    """What a choice left in its folder."""

    report: Tuned
    strategy: Path


def finish(tuning: Tuning, registry: Registry) -> Written:
    """Chooses by the finished runs and writes `chosen.yaml` and `tuned.json`.

    Raises `UsageError` where no right answer is known.
    """
    evidence = read_evidence(tuning)
    found = chosen(tuning, evidence)
    runs = tuning.sweep.runs
    others = [(match, runs[way]) for way, match in _apart(tuning, evidence, found)]
    text = strategy_yaml(
        runs[found.common],
        others,
        tuning.benchmark,
        registry,
        description=_description(found.report),
        models=len({run.model for run in runs}) > 1,
    )
    path = tuning.sweep.output / CHOSEN_FILE
    write_file(path, text)
    write_file(tuning.sweep.output / REPORT_FILE, pretty_json(found.report))
    return Written(found.report, path)


def _apart(tuning: Tuning, evidence: Evidence, found: Chosen) -> list[tuple[int, Mapping[str, Sequence[str]]]]:
    """Groups that get another way than the common one, as labels and their values."""
    grouping = tuning.benchmark.record().grouping(tuning.by)
    if grouping is None:
        return []
    first = dict(zip(evidence.groups, evidence.questions, strict=True))
    return [
        (way, {label: [first[group].label(label)] for label in grouping.labels})
        for group, way in found.by_group.items()
        if way != found.common
    ]


def _description(report: Tuned) -> str:
    clusters = sum(report.clusters.values())
    return (
        f"Chosen among {report.looked_at} ways to ask by {report.questions} questions from {clusters} "
        f"{report.cluster}s; expected gain over {report.ways[0].name!r} {100 * report.expected:.1f} points, "
        f"standard error {100 * report.error:.1f}."
    )
