"""Results and sample logs as lm-eval 0.4.13 writes them: one task for each part of the macro average, and a group."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from egocross_eval.counted import counted
from egocross_eval.files import slug, write_file
from egocross_eval.interop.exporting.forms import (
    MADE_BY,
    asked_text,
    by_part,
    filled_folder,
    json_bytes,
    json_lines,
    output_text,
    refuse_incomplete,
)
from egocross_eval.prompts.shots import ShotSetting

if TYPE_CHECKING:
    from egocross_eval.contracts.exporter import ExportedRun
    from egocross_eval.schema import Figure, Sample

FORM = "0.4.13"
"""Version of lm-eval whose form this is."""

_METRIC = "acc"


def export(run: ExportedRun, path: Path, options: None) -> str:
    """Writes `results_<date>.json` and a `samples_<task>_<date>.jsonl` for each task into a folder.

    Raises `UsageError` for an incomplete run: lm-eval has no word for a question that wasn't answered.
    """
    refuse_incomplete(run, "lm-eval's form")
    tasks = _task_names(run)
    date = datetime.fromisoformat(run.record.created_at)
    stamp = date.strftime("%Y-%m-%dT%H-%M-%S.%f")
    with filled_folder(path) as scratch:
        write_file(scratch / f"results_{stamp}.json", json_bytes(_results(run, tasks, date.timestamp())))
        for part, samples in by_part(run).items():
            write_file(scratch / f"samples_{tasks[part]}_{stamp}.jsonl", json_lines(_lines(samples)))
    return f"wrote {path}: {counted(len(tasks), 'task')}, {counted(len(run.samples), 'sample')}"


def _task_names(run: ExportedRun) -> dict[str, str]:
    name = run.record.benchmark.name
    return {part: f"{name}_{slug(part).lower().replace('-', '_')}" if part else f"{name}_all" for part in by_part(run)}


def _results(run: ExportedRun, tasks: dict[str, str], date: float) -> dict[str, Any]:
    record, results = run.record, run.results
    assert results.micro is not None
    figures = results.groups.get(record.benchmark.macro, {})
    group = record.benchmark.name
    rows = {tasks[part]: _figure(tasks[part], figures[part] if part else results.micro) for part in tasks}
    total = _figure(group, results.micro)
    if results.macro is not None:
        total["macro,none"] = results.macro.accuracy
    numbers = {tasks[part]: len(samples) for part, samples in by_part(run).items()}
    asked = record.settings.values()
    generation = {
        name: asked[name][0] if len(asked[name]) == 1 else list(asked[name])
        for name in record.settings.generation.__struct_fields__
        if asked[name]
    }
    shots = max((ShotSetting.parse(text).count for text in asked["shots"]), default=None)
    return {
        "results": {group: total} | rows,
        "groups": {group: total},
        "group_subtasks": {group: list(rows)} | {task: [] for task in rows},
        "configs": {task: _config(task, generation, shots) for task in rows},
        "versions": dict.fromkeys((group, *rows), 1.0),
        "n-shot": dict.fromkeys(rows, shots),
        "higher_is_better": {task: {_METRIC: True} for task in (group, *rows)},
        "n-samples": {task: {"original": number, "effective": number} for task, number in numbers.items()},
        "config": {
            "model": record.model.spec.partition(":")[0],
            "model_args": record.model.spec,
            "limit": record.settings.limit,
            "gen_kwargs": generation,
            "made_by": MADE_BY,
        },
        "git_hash": None,
        "date": date,
        "lm_eval_version": FORM,
        "task_hashes": {},
        "model_source": record.model.spec.partition(":")[0],
        "model_name": record.model.name,
        "model_name_sanitized": slug(record.model.name),
        "total_evaluation_time_seconds": str(results.seconds),
    }


def _figure(alias: str, figure: Figure) -> dict[str, Any]:
    """lm-eval has a standard error and no interval: half the width of ours over 1.96, and the ends themselves."""
    return {
        "alias": alias,
        f"{_METRIC},none": figure.accuracy,
        f"{_METRIC}_stderr,none": (figure.high - figure.low) / 2 / 1.96,
        "low,none": figure.low,
        "high,none": figure.high,
    }


def _config(task: str, generation: dict[str, Any], shots: int | None) -> dict[str, Any]:
    return {
        "task": task,
        "output_type": "generate_until",
        "num_fewshot": shots,
        "metric_list": [{"metric": _METRIC, "aggregation": "mean", "higher_is_better": True}],
        "generation_kwargs": generation,
        "metadata": {"version": 1.0, "made_by": MADE_BY},
    }


def _lines(samples: Sequence[Sample]) -> Iterator[dict[str, Any]]:
    for number, sample in enumerate(samples):
        question, prompt = sample.question, asked_text(sample)
        document = {
            "id": question.id,
            "question_id": sample.key,
            "question": question.text,
            "options": question.options,
            "answer": question.target,
            **question.labels,
        }
        yield {
            "doc_id": number,
            "doc": document,
            "target": question.target or "",
            "arguments": {"gen_args_0": {"arg_0": prompt}},
            "resps": [[output_text(answer) for answer in sample.answers]],
            "filtered_resps": [sample.grade.prediction or ""],
            "filter": "none",
            "metrics": [_METRIC],
            "doc_hash": _hash(msgspec.json.encode(document)),
            "prompt_hash": _hash(prompt.encode()),
            "target_hash": _hash((question.target or "").encode()),
            _METRIC: sample.grade.credit,
        }


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
