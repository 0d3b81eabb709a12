"""Writes a benchmark as a folder of lmms-eval tasks: a group, one task for each part, and their documents.

lmms-eval finds tasks in one way only, `--include_path FOLDER`, so the folder is made for the questions and settings at
hand and kept in the cache under a hash of both.
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.contracts.registry import Registry
from egocross_eval.directories import cache_directory
from egocross_eval.errors import DataError, UsageError, did_you_mean
from egocross_eval.files import new_folder, write_file
from egocross_eval.interop.lmms_eval.documents import Document, document
from egocross_eval.interop.lmms_eval.marks import MARK, TaskMark
from egocross_eval.runs.options import RunOptions
from egocross_eval.runs.plan import RunPlan, plan_run
from egocross_eval.runs.store import questions_hash
from egocross_eval.schema import Question
from egocross_eval.settings import GenerationSettings
from egocross_eval.version import __version__

FORM = "1.0"
"""Version of the tasks, as lmms-eval's tables show it; raised whenever an equal question would be asked otherwise."""

UTILS = '''"""The functions of the tasks beside this file are those of the package egocross-eval."""

from egocross_eval.interop.lmms_eval.task_functions import (  # noqa: F401
    doc_to_messages,
    doc_to_target,
    doc_to_text,
    doc_to_visual,
    mean_score,
    process_results,
)
'''

_FUNCTIONS = ("doc_to_messages", "doc_to_visual", "doc_to_text", "doc_to_target", "process_results")
_METRICS = ("micro", "macro")


class _Function(str):
    """A function of `utils.py`, as YAML tags it."""


def write_tasks(options: RunOptions, registry: Registry) -> Path:
    """The folder of the tasks for these questions and settings, written unless it's there.

    Raises `UsageError` for what lmms-eval can't ask, `DataError` where right answers or frames are missing.
    """
    plan = plan_run(options, registry)
    _check(plan)
    parts = _by_part(plan)
    documents = {name: [document(plan, question) for question in questions] for name, questions in parts.items()}
    texts = _files(plan, options, documents)
    digest = hashlib.sha256(msgspec.json.encode(sorted(texts.items()))).hexdigest()[:16]
    folder = cache_directory() / "lmms-eval" / f"{plan.benchmark.name}-{digest}"
    if not folder.is_dir():
        with new_folder(folder) as scratch:
            for name, text in texts.items():
                write_file(scratch / name, text, durable=False)
    return folder


def check_names(folder: Path, names: str) -> None:
    """Raises `UsageError` for names of tasks, separated by commas, that a folder hasn't; they may have `*` in them."""
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    for name in filter(None, map(str.strip, names.split(","))):
        if not fnmatch.filter(known, name):
            raise UsageError(
                f"--tasks: among the chosen questions there's no {name!r}{did_you_mean(name, known)}; there are "
                f"{', '.join(known)}"
            )


def task_names(plan: RunPlan) -> dict[str, str]:
    """The name of the task of each part."""
    return {part: f"{plan.benchmark.name}_{_slug(part)}" if part else _single(plan) for part in _by_part(plan)}


def _single(plan: RunPlan) -> str:
    return f"{plan.benchmark.name}_all"


def _slug(part: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", part.lower()).strip("_")


def _by_part(plan: RunPlan) -> dict[str, list[Question]]:
    """The questions by group of the macro average, in the benchmark's order."""
    record = plan.benchmark.record()
    found: dict[str, list[Question]] = {}
    for question in plan.questions:
        found.setdefault(record.part(question), []).append(question)
    grouping = record.grouping(record.macro)
    return {part: found[part] for part in (grouping.ordered(found) if grouping else found)}


def _check(plan: RunPlan) -> None:
    """Refuses what lmms-eval has no way to ask or to score."""
    settings = plan.settings
    if settings.method != "once":
        raise UsageError(
            f"lmms-eval asks each question once: --method {settings.method} is for egocross-eval's own runs"
        )
    if settings.strategy is not None or settings.shots:
        raise UsageError("lmms-eval asks all questions alike, in one turn: leave out --strategy and --shots")
    if settings.generation.answer_mode != "generate":
        raise UsageError(
            f"lmms-eval's models generate text: use --answer generate, not {settings.generation.answer_mode}"
        )
    if settings.prompt.media != "images":
        raise UsageError("lmms-eval gets frames as images; use --media images, with --timestamps for their times")
    if plan.no_frames and settings.prompt.frames != "none":
        raise DataError(f"{plan.no_frames}, or ask without them: --frames none")
    unknown = [question.key for question in plan.questions if question.target is None]
    if unknown:
        raise DataError(
            f"lmms-eval scores every question, and the right answers of {len(unknown)} aren't known, "
            f"e.g. {unknown[0]}: pass --answers FILE"
        )


def _files(plan: RunPlan, options: RunOptions, documents: dict[str, list[Document]]) -> dict[str, str]:
    """Name and content of each file of the folder."""
    names = task_names(plan)
    files = {"utils.py": UTILS, f"{plan.benchmark.name}.yaml": _yaml(_group(plan, list(names.values())))}
    for part, lines in documents.items():
        name = names[part]
        files[f"{name}.jsonl"] = "".join(msgspec.json.encode(line).decode() + "\n" for line in lines)
        mark = TaskMark(
            version=__version__,
            benchmark=plan.benchmark.name,
            part=part,
            questions=len(lines),
            questions_hash=questions_hash(plan.questions),
            settings=plan.settings,
            ids=options.ids,
        )
        files[f"{name}.yaml"] = _yaml(_task(plan, name, mark))
    return files


def _group(plan: RunPlan, tasks: list[str]) -> dict[str, Any]:
    weights = {"micro": True, "macro": False}
    return {
        "group": plan.benchmark.name,
        "task": tasks,
        "aggregate_metric_list": [
            {"metric": metric, "aggregation": "mean", "weight_by_size": weights[metric]} for metric in _METRICS
        ],
        "metadata": {"version": FORM},
    }


def _task(plan: RunPlan, name: str, mark: TaskMark) -> dict[str, Any]:
    mean = _Function("utils.mean_score")
    return {
        "task": name,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": f"{name}.jsonl"}},
        "test_split": "test",
        "output_type": "generate_until",
        **{function: _Function(f"utils.{function}") for function in _FUNCTIONS},
        "generation_kwargs": generation_kwargs(plan.settings.generation),
        # What a model thinks is told from its answer by our rules, which want the whole text.
        "reasoning_tags": "none",
        "cluster_key": "cluster",
        "score_key": "score",
        "metric_list": [{"metric": metric, "aggregation": mean, "higher_is_better": True} for metric in _METRICS],
        "metadata": {"version": FORM, MARK: msgspec.to_builtins(mark)},
    }


def generation_kwargs(generation: GenerationSettings) -> dict[str, Any]:
    """The settings as lmms-eval's models take them. Without `until` it would stop at the first empty line."""
    sampling = generation.temperature > 0
    return {
        "max_new_tokens": generation.max_new_tokens,
        "temperature": generation.temperature,
        "do_sample": sampling,
        **({"top_p": generation.top_p} if sampling else {}),
        "until": [],
    }


def _yaml(content: dict[str, Any]) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    Dumper.add_representer(_Function, lambda dumper, function: dumper.represent_scalar("!function", str(function)))
    return yaml.dump(content, Dumper=Dumper, sort_keys=False, allow_unicode=True)
