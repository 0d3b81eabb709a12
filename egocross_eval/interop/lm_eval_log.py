"""Reads logs of lm-eval (the LM Evaluation Harness): `results_<date>.json` and `samples_<task>_<date>.jsonl`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from egocross_eval.contracts.importer import ForeignAnswer, ForeignRun
from egocross_eval.documents import cited
from egocross_eval.errors import DataError
from egocross_eval.interop.importing.entries import (
    asked_text,
    first_text,
    log_file,
    log_lines,
    needed,
    optional,
    question_name,
)
from egocross_eval.interop.importing.glimpse import glimpse
from egocross_eval.interop.importing.options import told_options, told_target

KNOWN = ("0.4",)
"""Versions of lm-eval, without the last number, whose logs are known."""

_METRICS = ("acc", "exact_match", "acc_norm")


def recognises(path: Path) -> bool:
    """Whether a file has the fields of lm-eval's results or samples, or a folder holds such results."""
    if path.is_dir():
        return any(_is_results(file) for file in path.rglob("results_*.json"))
    seen = glimpse(path)
    return _is_results(path) or (seen.is_entries and seen.has("doc_id", "doc", "filtered_resps"))


def _is_results(path: Path) -> bool:
    seen = glimpse(path)
    # Early versions don't name lm-eval; lmms-eval has the same fields, and its own version.
    unnamed = seen.has("config", "pretty_env_info") and not seen.has("lmms_eval_version")
    return seen.kind == "mapping" and seen.has("configs") and (unnamed or seen.has("lm_eval_version"))


def read(path: Path) -> ForeignRun:
    """The run that a results file, one of its sample logs, or the folder of one run is.

    Raises `DataError` naming file and place for anything else, and where samples weren't logged.
    """
    file = _results_file(path)
    results = log_file(file)
    where = str(file)
    known = ", ".join(f"{known}.*" for known in KNOWN)
    if "lm_eval_version" not in results:
        raise DataError(
            f"{where} has no 'lm_eval_version': it is no log of lm-eval, or one of an early version that isn't known "
            f"here; known: {known}"
        )
    version = needed(results, "lm_eval_version", str, where)
    if not version.startswith(tuple(f"{known}." for known in KNOWN)):
        raise DataError(f"{where}: logs of lm-eval {cited(version)} aren't known here; known: {known}")
    configs = needed(results, "configs", dict, where)
    date = file.name.removeprefix("results_").removesuffix(".json")
    logs = {task: file.with_name(f"samples_{task}_{date}.jsonl") for task in configs}
    absent = [log.name for log in logs.values() if not log.is_file()]
    if absent:
        raise DataError(f"{where}: {absent[0]} isn't beside it: run lm-eval with --log_samples")
    model = optional(results, "model_name", str, "") or optional(results, "model_source", str, "")
    return ForeignRun(
        version=version,
        model=f"lm-eval:{model}",
        spec=f"lm-eval:{model}",
        date=_time(results.get("date")) or date,
        files=(file, *logs.values()),
        details={"config": {key: optional(results, "config", dict, {}).get(key) for key in ("model", "model_args")}},
        answers=[answer for task, log in logs.items() for answer in _answers(log, task)],
    )


def _time(seconds: Any) -> str:
    """lm-eval's date, in seconds since 1970, as ISO 8601; empty for anything else."""
    with contextlib.suppress(OverflowError, OSError, ValueError, TypeError):
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    return ""


def _results_file(path: Path) -> Path:
    folder = path if path.is_dir() else path.parent
    if path.name.startswith("results_") and path.is_file():
        return path
    found = sorted(folder.rglob("results_*.json"))
    if path.is_file():  # a sample log: the results of the same date
        found = [file for file in found if path.stem.endswith(file.stem.removeprefix("results"))]
    if len(found) != 1:
        raise DataError(f"{path} must hold one results_*.json of lm-eval, and holds {len(found)}: name the file")
    return found[0]


def _answers(log: Path, task: str) -> Iterator[ForeignAnswer]:
    for where, line in log_lines(log):
        yield _answer(line, task, where)


def _answer(line: dict[str, Any], task: str, where: str) -> ForeignAnswer:
    document = needed(line, "doc_id", int, where)
    filtered = first_text(needed(line, "filtered_resps", list, where), where).strip()
    score = next((line[name] for name in _METRICS if isinstance(line.get(name), int | float)), None)
    row = optional(line, "doc", dict, {})
    return ForeignAnswer(
        place=where,
        question=question_name(row),
        position=f"{task}/{document}",
        text=first_text(needed(line, "resps", list, where), where),
        label=filtered if len(filtered) == 1 and filtered.isalpha() else None,
        score=None if score is None else float(score),
        prompt=asked_text(line.get("arguments")) or optional(row, "question", str, ""),
        options=told_options(row),
        target=told_target(line.get("target")),
    )
